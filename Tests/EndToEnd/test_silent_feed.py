"""A connection that looks alive and brings nothing any more: the kit's subscriber dials anew and misses nothing."""

import os
import socket
import threading

from kit import program  # noqa: F401
from waiting import until


class Relay:
    """A unix socket that passes on what comes, until it swallows everything of the connections that it has."""

    def __init__(self, path, target):
        self.target, self.pairs, self.dialed = target, [], 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.target)
            self.dialed += 1
            pair = {"near": near, "far": far, "swallows": False}
            self.pairs.append(pair)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.pass_on, args=(pair, one, other), daemon=True).start()

    @staticmethod
    def pass_on(pair, one, other):
        try:
            while data := one.recv(65536):
                if not pair["swallows"]:
                    other.sendall(data)
        except OSError:
            pass

    def swallow(self):
        for pair in self.pairs:
            pair["swallows"] = True

    def close(self):
        self.listener.close()
        for pair in self.pairs:
            pair["near"].close()
            pair["far"].close()


def test_a_feed_that_falls_silent_is_dialed_anew_and_nothing_is_missed(suite, events, repo, folder, program):  # noqa: F811
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    # As the bus's folder, but for the feed.
    place = folder / "via"
    place.mkdir()
    for name in ("events", "requests"):
        os.symlink(f"{suite.data}/bus/{name}", place / name)
    relay = Relay(place / "feed", f"{suite.data}/bus/feed")
    reading = program("subscriber.py", folder / "copy.sqlite", "--bus", f"ipc://{place}")
    reading.wait("dev.martlet.run.finished.v1")
    relay.swallow()
    before = relay.dialed
    suite.command("run", "check", "--project", "small", "--wait")
    until(lambda: relay.dialed > before, 60, "the feed is dialed anew")
    until(lambda: len(reading.said("dev.martlet.run.finished.v1")) == 2, 60, f"the second run: {reading.lines[-5:]}")
    assert reading.process.poll() is None
    relay.close()
