"""The programs of Examples/integrations, started as an integrator starts them."""

import shlex
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
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
