"""The programs of the benchmark: compiled, started in folders and on ports of their own, talked to, and ended."""

import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from suite import in_a_row

PEERS = Path(__file__).resolve().parent.parent / "peers"
LIBRARIES = {
    "redis_streams": ["-lhiredis"],
    "jetstream": ["-lnats"],
    "plain_sqlite": ["-lsqlite3"],
    "flood": ["-lzmq"],
    "proxy": ["-lzmq"],
    "stuck": ["-lzmq"],
    "fsync": [],
}


# Only services of the suite may say events of types like its own, so those of the benchmark bear their names.
PRODUCER, CONSUMER = "evaluator", "notifier"
# Who has a key for the bus of a stage.
CLIENTS = ["trigger-service", PRODUCER, CONSUMER, "console", "bench-asker", "bench-holder", "flood", "stuck"]


class Failed(Exception):
    """Something could not be measured; the text says why."""


class Programs:
    """Where the executables are, and how much is to be done with them."""

    def __init__(self, binaries, folder, runs, tiny):
        self.binaries = Path(binaries).resolve()
        self.folder = folder
        self.runs = 1 if tiny else runs
        self.tiny = tiny
        for name in ["event-bus", "trigger-service", "BusBench"]:
            if not (self.binaries / name).exists():
                raise SystemExit(f"{self.binaries / name} is missing; build it: swift build -c release")

    def size(self, full, tiny):
        return tiny if self.tiny else full

    def peer(self, name):
        """A peer's client, compiled when it is first needed."""
        built = self.folder / name
        if not built.exists():
            words = ["cc", "-O2", "-Wall", "-o", built, PEERS / f"{name}.c", *LIBRARIES[name], "-lpthread"]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"{name}.c does not compile; `make bench-setup` installs the libraries:\n{done.stderr}")
        return str(built)

    def run(self, name, *words, timeout=240):
        """What a peer's client reports."""
        return self.ended([self.peer(name), *map(str, words)], timeout)

    def ended(self, words, timeout):
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{words[0]} did not end within {timeout} s") from error
        if done.returncode != 0:
            raise Failed(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


class Program:
    """One running process; its standard output is lines of JSON, if it speaks at all."""

    def __init__(self, words, log, environment):
        self.words, self.log = [str(word) for word in words], log
        self.process = subprocess.Popen(
            self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "ab"), env=environment
        )
        self.said = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if line.startswith(b"{"):
                self.said.put(json.loads(line))

    def tell(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def hear(self, seconds=120):
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.said.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None:
                    raise Failed(f"{self.words[0]} ended with {self.process.returncode}:\n{self.last_words()}")
                if time.monotonic() > deadline:
                    raise Failed(f"{' '.join(self.words)} said nothing for {seconds} s:\n{self.last_words()}")

    def last_words(self):
        return Path(self.log).read_text(errors="replace")[-2000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self, what="VmRSS"):
        """`VmHWM`: the most that it ever had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise Failed(f"{self.words[0]} is gone")


class Stage:
    """A bus and services in a folder of their own, until the `with` ends."""

    def __init__(self, programs, settings=None):
        self.programs = programs
        # Another installation's settings must not reach this one.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MARTLET_")}
        self.environment = clean | (settings or {})
        self.folder = Path(tempfile.mkdtemp(prefix="stage-", dir=programs.folder))
        self.port = in_a_row(3)
        self.running = []

    def __enter__(self):
        words = ["keys", "--data", self.folder, *CLIENTS]
        subprocess.run([self.programs.binaries / "BusBench", *words], check=True)
        return self

    def keys(self, client):
        """The bus's public key, the client's own and its secret, for a program that knows nothing of Martlet."""
        return [*self.key_file("event-bus.pub"), *self.key_file(f"{client}.key")]

    def key_file(self, name):
        text = (self.folder / "keys" / name).read_text()
        return re.findall(r'^ *(?:public|secret)-key = "(.*)"$', text, re.MULTILINE)

    def __exit__(self, *_):
        for program in reversed(self.running):
            program.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self):
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, words, name):
        program = Program(words, self.folder / f"{name}.log", self.environment)
        self.running.append(program)
        return program

    def stop(self, program):
        program.end()
        self.running.remove(program)

    def service(self, name):
        """One of Martlet's own, ready."""
        words = [self.programs.binaries / name, "--data", self.folder, "--bus", self.address, "--log-level", "warning"]
        address = self.folder / "services" / name / "http.json"
        address.unlink(missing_ok=True)
        program = self.start(words, name)
        self.wait(address.exists, f"{name} to listen", program)
        return program

    def bench(self, command, *words, name=None):
        """A program of `BusBench`; `name` is the service that it is."""
        common = ["--data", self.folder, "--bus", self.address, "--log-level", "warning"]
        source = ["--source", name] if name else []
        return self.start([self.programs.binaries / "BusBench", command, *common, *source, *words], name or command)

    def ready(self, command, *words, name):
        program = self.bench(command, *words, name=name)
        program.hear(60)
        return program

    def wait(self, condition, what, program, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or program.process.poll() is not None:
                raise Failed(f"waited for {what}:\n{program.last_words()}")
            time.sleep(0.01)
