"""The programs of Examples/integrations, started as an integrator starts them."""

import shlex
import shutil
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
from suite import in_a_row
from waiting import until

KIT = ROOT / "Examples" / "integrations"
sys.path.insert(0, str(KIT))


class Program:
    """One of the kit's programs, running; what it says is kept."""

    def __init__(self, suite, name, *words):
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, str(KIT / name), *map(str, words)],
            env=suite.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.listening = threading.Thread(target=self.listen, daemon=True)
        self.listening.start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, *words):
        return [line for line in list(self.lines) if all(word in line for word in words)]

    def wait(self, *words, seconds=60):
        until(lambda: self.said(*words) or self.process.poll() is not None, seconds, f"{words} in {self.lines}")
        if not self.said(*words):
            self.listening.join(10)
        assert self.said(*words), f"{words} in {self.lines}"
        return self.said(*words)[0]

    def ended(self, seconds=60):
        code = self.process.wait(seconds)
        self.listening.join(10)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def program(suite):
    running = []

    def start(name, *words):
        running.append(Program(suite, name, *words))
        return running[-1]

    yield start
    for one in running:
        one.kill()


def commands(section):
    """The commands of a section of the kit's README, as they stand there."""
    text = (KIT / "README.md").read_text().split(f"## {section}")[1].split("\n## ")[0]
    return [shlex.split(line) for line in text.splitlines() if line.startswith("    ")]


@pytest.fixture
def elsewhere(suite, folder):
    """A suite on a tcp bus and a folder with the keys of `acme`, as the kit's README makes them."""
    address = f"tcp://127.0.0.1:{in_a_row(3)}"
    for command in commands("From elsewhere"):
        if command[:2] == ["martlet", "up"]:
            suite.command(*suite.up_words(), "--bus", address, timeout=90)
        elif command[0] == "martlet":
            suite.command(*command[1:])
    keys = folder / "acme-keys"
    keys.mkdir(mode=0o700)
    for name in ("acme.key", "event-bus.pub"):
        shutil.copy(suite.data / "keys" / name, keys)
    return ["--bus", address, "--keys", keys, "--client", "acme"]
