"""Containers that are stopped, as an upgrade does it, while somebody waits at the console's door."""

import threading
import time
import urllib.request

import pytest
from engine import inspect, podman
from installation import SERVICES
from waiting import until


class Waiting:
    """Callers who wait for an event that never comes, and ask again whenever they are answered."""

    def __init__(self, installation, callers=4):
        installation.ask("status")
        self.url = installation.door("MARTLET_CONSOLE_PORT") + "/api/v1/events?type=run.queued&after=1000000000&wait="
        self.token, self.begun, self.ended = installation.token, 0, threading.Event()
        self.threads = [threading.Thread(target=self.go, daemon=True) for _ in range(callers)]
        for thread in self.threads:
            thread.start()

    def ask(self, seconds):
        request = urllib.request.Request(f"{self.url}{seconds}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    def go(self):
        self.ask(0)
        self.begun += 1
        while not self.ended.is_set():
            try:
                self.ask(20)
            except OSError:
                self.ended.wait(0.1)


@pytest.fixture
def waiting(up):
    one = Waiting(up)
    until(lambda: one.begun == len(one.threads), 60, "all of them wait")
    yield one
    one.ended.set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_that_is_stopped_ends_soon_and_without_a_failure(up, waiting, service):
    name = up.containers(service)[0]
    begun = time.monotonic()
    podman("stop", "--time", "60", name)
    seconds = time.monotonic() - begun
    state = inspect("container", name)["State"]
    podman("start", name)
    up.until_healthy()
    print(f"{service}: ended after {seconds:.1f} s", end="; ")
    assert state["ExitCode"] == 0, state
    assert seconds < 10
