"""Requests over keep-alive connections, each sent when the one before was answered: the same client for every server."""

import json
import selectors
import socket
import time


class Refused(Exception):
    """A request was answered otherwise than was expected."""


class Server:
    """Where requests go, and what they carry beside their own."""

    def __init__(self, name, port, token=None, root="/api/2.0/mlflow"):
        self.name, self.port, self.root = name, port, root
        self.head = f"Host: 127.0.0.1:{port}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")

    def request(self, method, path, body=None):
        text = json.dumps(body).encode() if body is not None else b""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if body is not None else ""
        return f"{method} {self.root}{path} HTTP/1.1\r\n{self.head}{kind}\r\n".encode() + text

    def ask(self, method, path, body=None):
        """One request on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(self.request(method, path, body))
            answer = Answer()
            while not answer.take(connection.recv(1 << 16)):
                pass
        return json.loads(answer.body or b"{}")


class Answer:
    """Reads one answer; the servers say its length."""

    def __init__(self, accepts=(200,)):
        self.held, self.length = b"", None
        self.accepts, self.status = accepts, None
        self.body = b""

    def take(self, piece):
        if not piece:
            raise Refused("the connection was closed")
        self.held += piece
        if self.length is None:
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self.held[:end].lower()
            self.status = int(head.split(b" ", 2)[1])
            if self.status not in self.accepts:
                raise Refused(self.held[:400].decode(errors="replace"))
            self.length = end + 4 + next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")
            )
            self.start = end + 4
        if len(self.held) < self.length:
            return False
        self.body = self.held[self.start : self.length]
        return True


def load(server, make, connections, seconds=None, count=None, accepts=(200,), told=None):
    """Requests a second, and the time of each in milliseconds; `make(n)` is the bytes of the n-th request.

    A list of such functions has one for each connection. `told` is called with the number of the connection and the status of
    each answer; others than `accepts` end it all.
    """
    makers = make if isinstance(make, list) else [make] * connections
    poll = selectors.DefaultSelector()
    begin = time.perf_counter()
    sent, times = 0, []

    def more():
        return sent < count if count else time.perf_counter() - begin < seconds

    def send(connection, slot):
        nonlocal sent
        bytes_ = makers[slot](sent)
        sent += 1
        poll.modify(connection, selectors.EVENT_READ, (Answer(accepts), time.perf_counter(), slot))
        connection.sendall(bytes_)

    for slot in range(connections):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(connection, selectors.EVENT_READ, None)
        send(connection, slot)
    while poll.get_map():
        for key, _ in poll.select(60):
            answer, since, slot = key.data
            if not answer.take(key.fileobj.recv(1 << 18)):
                continue
            times.append((time.perf_counter() - since) * 1000)
            if told:
                told(slot, answer.status)
            if more():
                send(key.fileobj, slot)
            else:
                poll.unregister(key.fileobj)
                key.fileobj.close()
    times.sort()
    return len(times) / (time.perf_counter() - begin), times


def percentile(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]
