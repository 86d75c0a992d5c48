"""The peers' servers, each in a folder and on a port of its own, as durable as they can be."""

import shutil
import socket
import time

from .stage import Failed, Stage


class Server(Stage):
    """A peer's server for the length of a `with`."""

    def __init__(self, programs, words):
        super().__init__(programs)
        self.server = self.start([word.format(port=self.port, folder=self.folder) for word in words], "server")

    def __enter__(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError as error:
                if time.monotonic() > deadline or self.server.process.poll() is not None:
                    self.__exit__()
                    raise Failed(f"{self.server.words[0]} does not listen: {self.server.last_words()}") from error
                time.sleep(0.05)


def of_redis(programs, mode, *words):
    """What a peer does; an empty list where it is not installed, so that its line is left out."""
    if not shutil.which("redis-server"):
        return []
    with redis(programs) as server:
        return [programs.run("redis_streams", server.port, mode, *words)]


def of_nats(programs, mode, *words):
    if not shutil.which("nats-server"):
        return []
    with nats(programs) as server:
        return [programs.run("jetstream", f"nats://127.0.0.1:{server.port}", mode, *words)]


def missing():
    return [name for name in ("redis-server", "nats-server") if not shutil.which(name)]


def redis(programs):
    """Every command is on disk before its answer leaves: D2."""
    words = ["redis-server", "--bind", "127.0.0.1", "--port", "{port}", "--dir", "{folder}", "--save", ""]
    return Server(programs, [*words, "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"])


def nats(programs):
    """File storage; acknowledged before it is synced: D1."""
    return Server(programs, ["nats-server", "-js", "-sd", "{folder}", "-a", "127.0.0.1", "-p", "{port}"])


class Proxy(Stage):
    """libzmq's own proxy on two ports, with CURVE as well."""

    def __enter__(self):
        super().__enter__()
        self.endpoints = [f"tcp://127.0.0.1:{self.port}", f"tcp://127.0.0.1:{self.port + 1}"]
        self.start([self.programs.peer("proxy"), *self.endpoints, *self.key_file("event-bus.key")], "proxy")
        return self
