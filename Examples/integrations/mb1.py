"""The protocol MB1, as far as the programs beside this file need it; docs/protocol.md has all of it."""

import argparse
import collections
import hashlib
import json
import os
import re
import secrets
import time
from pathlib import Path

import zmq
from zmq.auth import load_certificate

OPTIONS = {zmq.LINGER: 1000, zmq.RECONNECT_IVL_MAX: 1000, zmq.TCP_KEEPALIVE: 1, zmq.TCP_KEEPALIVE_IDLE: 10}
PORTS = {"events": 0, "feed": 1, "requests": 2}
TOPIC = re.compile(rb"[eht]/([a-z0-9.-]{1,63})(?:/[!-~]+)?")
HEADER = re.compile(rb"MB1 ([EHT]) ([0-9]{13}) ([0-9]{1,19}) ([0-9a-f]{32})")
Reply = collections.namedtuple("Reply", "status params body")
Message = collections.namedtuple("Message", "kind source topic epoch seq chain body")


def chain_start(source, epoch, parent=None):
    """The chain before the first event of an epoch; `parent` is {"epoch", "seq", "chain"} of the epoch before it."""
    before = f"{parent['epoch']}/{parent['seq']}/{parent['chain']}" if parent else ""
    return hashlib.sha256(f"MB1{source}{epoch}{before}".encode()).hexdigest()[:32]


def chain_next(chain, topic, body):
    return hashlib.sha256(chain.encode() + topic + b"\0" + body).hexdigest()[:32]


def parse(frames):
    """A live message, or `None` for what is none. In a heartbeat, seq and chain are those of the log's last event."""
    if len(frames) != 3 or not (topic := TOPIC.fullmatch(frames[0])) or not (header := HEADER.fullmatch(frames[1])):
        return None
    kind, epoch, seq, chain = (word.decode() for word in header.groups())
    return Message(kind, topic[1].decode(), frames[0], int(epoch), int(seq), chain, frames[2])


def genuine(message):
    """Whether an event says what its topic says: the bus lets a client write only its own topics, but any body."""
    try:
        event = json.loads(message.body)
        name, source = event["type"], event["source"].lower()
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    # In the log of outsiders' events the bus itself tells what it denied.
    service = "event-bus" if message.source == "ingest" else message.source
    ours = not source.startswith("/martlet/") or source == f"/martlet/{service}"
    return ours and message.topic == f"e/{message.source}/{name}".encode()


class Bus:
    """One program's way to the bus. Use it from one thread; a second thread makes a second one."""

    def __init__(self, options):
        self.context, self.options, self.dealer = zmq.Context(), options, None

    def socket(self, kind, port, prefixes=()):
        """A socket that dials one of the bus's three; libzmq reconnects by itself."""
        socket = self.context.socket(kind)
        # Never set ZMQ_HEARTBEAT_*: a SUB that is behind then aborts the process (libzmq issue 3937).
        for option, value in OPTIONS.items():
            socket.setsockopt(option, value)
        if kind == zmq.DEALER:
            # No question waits in a queue beyond its deadline. It counts for later connects only.
            socket.setsockopt(zmq.IMMEDIATE, 1)
        for prefix in prefixes:
            socket.subscribe(prefix)
        address = self.options.bus
        if address.startswith("ipc://"):
            socket.connect(f"{address}/{port}")
            return socket
        if self.options.keys:
            keys = Path(self.options.keys)
            socket.curve_publickey, socket.curve_secretkey = load_certificate(keys / f"{self.options.client}.key")
            socket.curve_serverkey, _ = load_certificate(keys / "event-bus.pub")
        host, first = address.removeprefix("tcp://").rsplit(":", 1)
        socket.connect(f"tcp://{host}:{int(first) + PORTS[port]}")
        return socket

    def ask(self, method, target, params, body=(), timeout=5.0):
        """A request and its reply, whatever its status. `TimeoutError`: nothing is known, ask again."""
        if self.dealer is None:
            self.dealer = self.socket(zmq.DEALER, "requests")
        correlation = secrets.token_bytes(16)
        deadline = time.monotonic() + timeout
        head = [b"", b"MB1", correlation, method, target, str(int(timeout * 1000)), json.dumps(params)]
        frames = [frame if isinstance(frame, bytes) else frame.encode() for frame in head] + list(body)
        while self.dealer.poll(self.left(deadline, method, target), zmq.POLLOUT) == 0:
            pass
        self.dealer.send_multipart(frames)
        while True:
            if self.dealer.poll(self.left(deadline, method, target)):
                answer = self.dealer.recv_multipart()
                # Anything else is a late reply to what was given up.
                if len(answer) >= 5 and answer[2] == correlation:
                    return Reply(int(answer[3]), json.loads(answer[4]), answer[5:])

    @staticmethod
    def left(deadline, method, target):
        left = int((deadline - time.monotonic()) * 1000)
        if left <= 0:
            raise TimeoutError(f"'{target}' did not answer '{method}'")
        return left


def options(description):
    """The options that all programs have; the caller adds its own."""
    home = os.environ.get("MARTLET_HOME") or os.path.expanduser("~/.martlet")
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bus", default=f"ipc://{home}/bus", help="ipc:///folder or tcp://host:port [%(default)s]")
    parser.add_argument("--keys", help="folder with <client>.key and event-bus.pub, for tcp")
    parser.add_argument("--client", default="acme", help="whose key it is [%(default)s]")
    return parser
