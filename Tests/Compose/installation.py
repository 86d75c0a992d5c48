"""The shipped compose file, up with a name and ports of its own, asked as operators ask it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from engine import ENVIRONMENT, HERE, ROOT, podman, run
from suite import in_a_row

SERVICES = [
    "event-bus", "trigger-service", "trainer-proxy", "evaluator", "registry-service", "deployer", "notifier", "console",
]  # fmt: skip
FRONT = ["MARTLET_CONSOLE_PORT", "MARTLET_WEBHOOK_PORT", "MARTLET_MLFLOW_PORT", "MARTLET_GATEWAY_PORT"]
# podman-compose lies in the same environment as this program's Python.
COMPOSE = str(Path(sys.executable).with_name("podman-compose"))


def status(url, seconds):
    """What is answered; 0 when nobody does."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Installation:
    def __init__(self, name, images, binaries):
        self.name, self.programs, self.martlet_program = name, binaries, str(Path(binaries) / "martlet")
        bus = in_a_row(3)
        self.ports = {
            "MARTLET_CONSOLE_PORT": in_a_row(1),
            "MARTLET_WEBHOOK_PORT": in_a_row(1),
            "MARTLET_MLFLOW_PORT": in_a_row(1),
            "MARTLET_GATEWAY_PORT": in_a_row(1),
            "MARTLET_PROMETHEUS_PORT": in_a_row(1),
            "MARTLET_BUS_PORT": bus,
            "MARTLET_FEED_PORT": bus + 1,
            "MARTLET_REQUEST_PORT": bus + 2,
        }
        self.settings = {key: str(port) for key, port in self.ports.items()} | images
        self.settings["MARTLET_DEPLOYER_URL"] = self.door("MARTLET_GATEWAY_PORT")
        self.settings["MARTLET_PUBLIC_URL"] = self.door("MARTLET_CONSOLE_PORT")
        self.bus = f"tcp://127.0.0.1:{bus}"
        self.token = None

    def door(self, port):
        return f"http://127.0.0.1:{self.ports[port]}"

    # MARK: compose

    def compose(self, *words, profile=(), **options):
        """As `docker compose` would be called; podman-compose reads the same file."""
        profiles = [word for name in profile for word in ("--profile", name)]
        return run(
            COMPOSE, "--in-pod", "false", "--file", ROOT / "compose" / "compose.yaml", "--project-name", self.name,
            *profiles, *words, environment=self.settings, cwd=ROOT / "compose", **options,
        )  # fmt: skip

    folder = ROOT / "compose"

    def shell_environment(self):
        """In which `docker` is what Tests/Compose/docker makes of it."""
        own = {
            "PATH": f"{HERE}:{self.programs}:{os.environ['PATH']}", "COMPOSE": COMPOSE, "PROJECT": self.name,
        }  # fmt: skip
        return self.settings | own

    def shell(self, line, folder=folder, **options):
        """A line of docs/operating.md, in the folder where it says to be."""
        return run("bash", "-euc", line, environment=self.shell_environment(), cwd=folder, **options).stdout

    def up(self, *words, **options):
        """`docker compose up --detach`. podman-compose ties a container to the ones it depends on for ever: none would be
        started again once the job of the keys has ended, so that comes first, and alone."""
        self.compose("up", "--detach", "keys")
        podman("wait", *self.containers("keys", running=False))
        return self.compose("up", "--detach", "--no-deps", *words, **options)

    def down(self):
        """Also what an interrupted test has left, at whatever scale."""
        left = self.containers(running=False)
        if left:
            podman("rm", "--force", "--time", "5", "--depend", *left)
        self.compose("down", "--volumes", "--timeout", "5", profile=["demo", "tools", "observability", "backups"], check=False)

    def containers(self, service=None, running=True):
        words = ["--filter", f"label=com.docker.compose.project={self.name}"]
        if service:
            words += ["--filter", f"label=com.docker.compose.service={service}"]
        names = podman("ps", *([] if running else ["--all"]), *words, "--format", "{{.Names}}")
        return sorted(names.split())

    def ill(self):
        """Containers whose own health check says no, services without one, and doors that lead nowhere."""
        missing = [service for service in SERVICES if not self.containers(service)]
        checks = {
            name: subprocess.Popen(
                ["podman", "healthcheck", "run", name], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for service in SERVICES
            for name in self.containers(service)
        }  # fmt: skip
        doors = [
            port for port in self.ports if port in FRONT and self.answers(port, "/healthz") != 200
        ]  # fmt: skip
        return missing + [name for name, check in checks.items() if check.wait(30) != 0] + doors

    def memory(self):
        """Of all containers together, without what the kernel may take back; MB."""
        total = 0
        for name in self.containers():
            pid = podman("inspect", "--format", "{{.State.Pid}}", name)
            words = Path(f"/proc/{pid}/cgroup").read_text()
            group = [line.split(":", 2) for line in words.splitlines() if ":memory:" in line or line.startswith("0::")][0]
            folder = "/sys/fs/cgroup" + ("/memory" if group[1] == "memory" else "") + group[2]
            lines = dict(line.split() for line in Path(folder, "memory.stat").read_text().splitlines())
            total += int(lines.get("total_rss") or lines["anon"])
        return total // 1_000_000

    def logs(self, lines=15):
        texts = []
        for name in self.containers(running=False):
            said = run("podman", "logs", "--tail", lines, name, check=False)
            texts.append(f"--- {name}\n{said.stdout}{said.stderr}")
        return "\n".join(texts)

    # MARK: the CLI

    def tool(self, *words, **options):
        """In a container of its own, as docs/operating.md says."""
        return self.compose("run", "--rm", "martlet", *words, profile=["tools"], **options)

    def martlet(self, *words, check=True, timeout=60):
        """From the host, with the administrator's token."""
        if self.token is None:
            words_of_cat = ["--entrypoint", "cat", "martlet", "/data/tokens/admin"]
            self.token = self.compose("run", "--rm", *words_of_cat, profile=["tools"]).stdout.split()[-1]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MARTLET_")}
        own = {"MARTLET_URL": self.door("MARTLET_CONSOLE_PORT"), "MARTLET_TOKEN": self.token}
        done = subprocess.run(
            [self.martlet_program, *map(str, words)], env=clean | own, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"martlet {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, *words):
        return json.loads(self.martlet(*words, "--json"))

    def answers(self, port, path="/readyz"):
        """The status of a published door; 0 when nobody answers."""
        return status(self.door(port) + path, 30)

    def unready(self):
        """Services without a container, and containers that say that they are not ready: asked from the host, which costs
        a small machine much less than the engine's own checks do."""
        running = json.loads(podman("ps", "--filter", f"label=com.docker.compose.project={self.name}", "--format", "json"))
        service = {one["Names"][0]: one["Labels"]["com.docker.compose.service"] for one in running}
        wanted = {*SERVICES, "front"}
        found = [name for name in service if service[name] in wanted]
        missing = wanted - {service[name] for name in found}
        if not found:
            return missing
        for container in json.loads(podman("container", "inspect", *found)):
            networks = container["NetworkSettings"]["Networks"].values()
            addresses = [network["IPAddress"] for network in networks if network["IPAddress"]]
            if not addresses or status(f"http://{addresses[0]}:8000/readyz", 2) != 200:
                missing.add(container["Name"])
        return missing

    def until_healthy(self, seconds=90):
        """By what they answer, and then by the checks that the engine makes. Returns the time of the former."""
        deadline, times = time.monotonic() + seconds, []
        for look, pause in [(self.unready, 0.1), (self.ill, 0.2)]:
            while found := look():
                assert time.monotonic() < deadline, f"not healthy within {seconds} s: {found}\n{self.logs()}"
                time.sleep(pause)
            times.append(time.monotonic())
        return times[0]
