"""A Martlet suite of one's own: started in a folder, asked through its CLI, heard through its events."""

import atexit
import json
import os
import random
import socket
import subprocess
import threading
import time
from pathlib import Path


class Failed(Exception):
    """Something was not observed; the text says what, and what to look at."""


def in_a_row(count):
    """The first of `count` ports that follow each other and that nobody has now.

    They are below those that the kernel gives to whoever connects somewhere: until they are used, and while a service
    is started again, nobody gets one by chance.
    """
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    last = given if given > 20_000 else 65_000
    while True:
        first = random.randrange(10_000, last - count)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


def free_ports(count):
    """The demo runs beside whatever else runs."""
    first = in_a_row(count)
    return list(range(first, first + count))


class Suite:
    PORTS = ["console", "trigger", "registry", "gateway"]

    def __init__(self, binaries, data):
        self.martlet = str(Path(binaries).resolve() / "martlet")
        self.data = Path(data)
        self.ports = dict(zip(self.PORTS, free_ports(len(self.PORTS))))
        # Another installation's settings must not reach this one.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
        self.environment["MARTLET_HOME"] = str(self.data)

    def up(self):
        self.command(*self.up_words(), timeout=90)

    def up_anyhow(self):
        """Also where not everything gets ready: a service that waits for an operator's word is none the less up."""
        self.command(*self.up_words(), timeout=90, check=False)

    def up_words(self):
        return ["up", "--detach", *(w for name, port in self.ports.items() for w in (f"--{name}-port", str(port)))]

    def is_ready(self):
        services = json.loads(self.command("status", "--json", check=False) or "{}").get("services", [])
        return bool(services) and all(service["state"] == "ready" for service in services)

    def down(self, *words):
        subprocess.run(
            [self.martlet, "down", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def command(self, *words, token=None, timeout=60, check=True):
        """What the CLI prints."""
        environment = self.environment | ({"MARTLET_TOKEN": token} if token else {})
        done = subprocess.run(
            [self.martlet, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise Failed(f"martlet {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, *words, token=None):
        return json.loads(self.command(*words, "--json", token=token))

    def logs(self, lines=15):
        """The last words of every service."""
        texts = []
        for path in sorted(self.data.glob("services/*/log*")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            if tail:
                texts.append(f"--- {path}\n" + "\n".join(tail))
        return "\n".join(texts)


class Attached(Suite):
    """A suite that somebody else runs; the environment says where (MARTLET_URL, MARTLET_BUS, MARTLET_KEYS, …)."""

    def __init__(self, binaries=None):
        self.martlet = str(Path(binaries).resolve() / "martlet") if binaries else "martlet"
        self.data = Path(os.environ.get("MARTLET_HOME", Path.home() / ".martlet"))
        self.environment = dict(os.environ)

    def up(self):
        """It is up, or about to be: its services start in any order."""
        deadline = time.monotonic() + 120
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise Failed("the suite is not ready:\n" + self.command("status", check=False))
            time.sleep(0.5)

    def down(self, *words):
        """Whoever started it ends it."""

    def logs(self, lines=15):
        return "the services' logs are where they run"


class Events:
    """Follows `martlet events tail` from the beginning; keeps everything, tells what is worth telling."""

    def __init__(self, suite, tell):
        self.tell = tell
        self.seen = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            [suite.martlet, "events", "tail", "--since", "start", "--json"],
            env=suite.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self.follow, daemon=True).start()
        # Whoever forgets it, or fails before: the tail ends with this program.
        atexit.register(self.stop)

    def follow(self):
        for line in self.process.stdout:
            event = json.loads(line)
            event = event.get("event", event)
            event["name"] = event["type"].removeprefix("dev.martlet.").rsplit(".v", 1)[0]
            with self.news:
                self.seen.append(event)
                self.news.notify_all()
            self.tell(event)

    def mark(self):
        """Where the story stands now: the next chapter begins here."""
        with self.news:
            return len(self.seen)

    def find(self, name, since=0, **wanted):
        with self.news:
            return [e for e in self.seen[since:] if matches(e, name, wanted)]

    def find_all(self):
        with self.news:
            return list(self.seen)

    def wait(self, name, seconds, since=0, unless=None, **wanted):
        """The first event of that name with those values; what must not come instead ends the wait at once."""
        deadline = time.monotonic() + seconds
        with self.news:
            while True:
                for event in self.seen[since:]:
                    if matches(event, name, wanted):
                        return event
                    if unless and unless(event):
                        raise Failed(f"waited for {name} {wanted}, but:\n{json.dumps(event, indent=1)}")
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    last = [f"{e['name']} {e['subject']}" for e in self.seen[-8:]]
                    why = "the tail ended" if left > 0 else f"not seen within {seconds} s"
                    raise Failed(f"waited for {name} {wanted}: {why}; the last events: {', '.join(last)}")
                self.news.wait(min(left, 1))

    def stop(self):
        self.process.terminate()


def matches(event, name, wanted):
    return event["name"] == name and all(event["data"].get(key) == value for key, value in wanted.items())
