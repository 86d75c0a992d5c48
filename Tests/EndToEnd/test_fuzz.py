"""Bytes that no client of ours would send, on all three ports of a bus: it goes on, and its memory stays bounded.

`MARTLET_FUZZ_SEED` repeats a run, `MARTLET_FUZZ_ROUNDS` makes it longer.
"""

import json
import os
import random
import socket
import struct
import subprocess

import pytest
import zmq
from outsider import Outsider, dropped, heard
from suite import in_a_row
from waiting import until

SEED = int(os.environ.get("MARTLET_FUZZ_SEED", "20260101"))
ROUNDS = int(os.environ.get("MARTLET_FUZZ_ROUNDS", "60"))
HEADER = b"MB1 E 1700000000000 1 " + b"a" * 32
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01"
# Who sends anything but subscriptions up the feed is shut out: each may do it once.
UPWARD = [f"up-{number}" for number in range(6)]


class Bus:
    """One event-bus with keys, and a client that may do something on each of its doors."""

    def __init__(self, binaries, data):
        self.binaries, self.data = binaries, data
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
        for words in (
            ["generate", "event-bus"],
            ["generate", "acme"],
            ["authorize", "acme", "--pub", "e/acme/*,t/acme/*", "--sub", "feed", "--req", "*", "--rate", "1000000"],
            *(["generate", name] for name in UPWARD),
            *(["authorize", name, "--sub", "feed"] for name in UPWARD),
        ):
            subprocess.run(
                [f"{binaries}/martlet", "keys", *words, "--data", str(data)], env=self.environment, check=True,
                capture_output=True,
            )
        self.port = in_a_row(3)
        if not self.start():
            pytest.fail((data / "bus.log").read_text())

    def start(self):
        address = f"tcp://127.0.0.1:{self.port}"
        with (self.data / "bus.log").open("ab") as log:
            self.process = subprocess.Popen(
                [f"{self.binaries}/event-bus", "--data", str(self.data), "--bus", address],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        place = self.data / "services" / "event-bus" / "http.json"

        def state():
            if self.process.poll() is not None:
                return "ended"
            return place.exists() and json.loads(place.read_text())["pid"] == self.process.pid and "open"

        self.address = address
        return until(state, 30, "the bus opens") == "open"

    def memory_used(self, field="VmRSS"):
        return memory(self.process.pid, field)

    def forwards(self):
        """Whether an event comes through, and a request is answered."""
        client = Outsider(self.address, self.data / "keys", "acme")
        try:
            pub, sub = client.dial(zmq.PUB, client.events), client.subscriber(b"e/acme/")

            def comes():
                pub.send_multipart([b"e/acme/check", HEADER, b"{}"])
                return heard(sub, 0.1)

            until(comes, 60, "an event comes through")
            # Also who asks meanwhile is answered.
            return until(lambda: client.ask("m", "nobody", seconds=2), 60, "a request is answered")[0] == 503
        finally:
            client.close()

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def bus(binaries, folder):
    one = Bus(binaries, folder)
    yield one
    one.stop()


def memory(pid, field):
    """In MiB; of a process that is gone there is none."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(field)), 0) // 1024
    except OSError:
        return 0


def throw(port, data, wait=0.0):
    """What a stranger's socket gets to say before it is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        try:
            raw.sendall(data)
            raw.settimeout(wait or 0.001)
            raw.recv(1024)
        except OSError:
            pass


def greeting(mechanism, as_server=False):
    return GREETING[:11] + b"\x00" + mechanism.ljust(20, b"\0")[:20] + bytes([as_server]) + bytes(31)


def command(name, body=b""):
    content = bytes([len(name)]) + name + body
    return (b"\x04" + bytes([len(content)]) if len(content) < 256 else b"\x06" + struct.pack(">Q", len(content))) + content


def strange_bytes(chance):
    """One thing that somebody might say to a ZMTP port."""
    junk = chance.randbytes(chance.randrange(1, 4000))
    return chance.choice(
        [
            junk,
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            GREETING[: chance.randrange(1, 12)],
            greeting(b"NULL") + command(b"READY", b"\x0bSocket-Type\x00\x00\x00\x03SUB"),
            greeting(b"PLAIN") + command(b"HELLO", b"\x01a\x01b"),
            greeting(b"CURVE") + command(b"HELLO", chance.randbytes(194)),
            greeting(b"CURVE") + command(b"HELLO", b"\x01\x00" + bytes(72) + chance.randbytes(120)),
            greeting(b"CURVE") + command(b"INITIATE", junk),
            greeting(b"CURVE") + b"\x02" + struct.pack(">Q", 1 << 62),
            greeting(b"CURVE") + b"\x06" + struct.pack(">Q", 0xFFFFFFFFFFFFFFFF) + junk,
            greeting(b"CURVE") + b"\x01\x05hello" * 50,
            greeting(b"GSSAPI") + junk,
            greeting(b"CURVE", as_server=True) + junk,
        ]
    )


def strange_message(chance):
    """One message of a client that is let in."""
    deep = b"[" * 100_000
    return chance.choice(
        [
            [b""],
            [b"", b""],
            [chance.randbytes(10) for _ in range(chance.randrange(1, 8))],
            [b"x"] * chance.randrange(100, 5000),
            [b"", b"MB1", b"c" * 16, b"m", b"nobody", b"1000", deep],
            [b"", b"MB1", b"c" * 16, b"hello", b"bus", b"1000", b'{"source":' * 5000],
            [b"", b"MB1", b"c" * 16, b"hello", b"bus", b"99999999999999999999", b"{}"],
            [b"", b"MB1", b"c" * 16, b"publish", b"ingest", b"1000", b"{}", deep],
            [b"", b"MB1", b"c" * 16, b"200", b"{}"],
            [b"e/acme/x", HEADER, b"{" + chance.randbytes(60_000)],
            [b"e/acme/" + b"x" * 300, HEADER, b"{}"],
            [b"e/acme/x", b"MB1 E " + chance.randbytes(40), b"{}"],
            [b"e/registry-service/dev.martlet.model.registered.v1", HEADER, b"{}"],
            [b"\x01" + b"y" * 3000],
            [b"\x01e/"],
            [b"\x00e/"],
            [b"z" * 120_000],
        ]
    )


def messages_of_a_client(bus, chance, whole):
    """Thrown into both doors by somebody who is let in; `whole`: all of it arrives, else it may be cut off anywhere."""
    client = Outsider(bus.address, bus.data / "keys", "acme")
    # Both tell when they are through the handshake: one hears the bus's subscription, the other its answer.
    events, requests = client.dial(zmq.XPUB, client.events), client.dial(zmq.DEALER, client.requests)
    requests.send_multipart([b"", b"MB1", b"c" * 16, b"m", b"nobody", b"1000", b"{}"])
    for peer in (events, requests):
        assert peer.poll(60_000), f"it is not let in, seed {SEED}"
        peer.recv_multipart()
        for _ in range(5):
            # Raises where there is no room: nothing is left out in silence.
            peer.send_multipart(strange_message(chance), zmq.DONTWAIT)
        peer.linger = 10_000 if whole else 0
    client.context.destroy()


def messages_up_the_feed(bus, chance, name):
    """Thrown by a subscriber, until it is shut out."""
    client = Outsider(bus.address, bus.data / "keys", name)
    feed = client.dial(zmq.XSUB, client.feed)
    feed.send(b"\x01h/event-bus")
    assert feed.poll(60_000), f"it is not let in, seed {SEED}"
    for _ in range(5):
        feed.send_multipart(strange_message(chance), zmq.DONTWAIT)
    feed.send(b"this is no subscription")
    until(lambda: dropped(bus.data, name, "(upstream|subscribe)") > 0, 60, f"{name} is shut out, seed {SEED}")
    client.close()


def test_bytes_of_strangers_and_of_clients_gone_wrong_harm_nothing(bus):
    chance = random.Random(SEED)
    ports = [bus.port, bus.port + 1, bus.port + 2]
    assert bus.forwards()
    before = bus.memory_used()
    for _ in range(ROUNDS * 5):
        throw(chance.choice(ports), strange_bytes(chance), wait=chance.choice([0, 0, 0, 0.02]))
    # Half-open handshakes: they hold a connection each, and only for five seconds.
    held = []
    for number in range(1000):
        one = socket.create_connection(("127.0.0.1", ports[number % 3]), timeout=5)
        one.sendall(chance.choice([b"", GREETING, greeting(b"CURVE")]))
        held.append(one)
    assert bus.forwards()
    with_connections = bus.memory_used()
    for one in held:
        one.close()
    for number in range(ROUNDS):
        messages_of_a_client(bus, chance, whole=number % 2 == 0)
    for name in UPWARD:
        messages_up_the_feed(bus, chance, name)
    # Of ten in each second round nearly all are nothing that a bus takes.
    until(lambda: dropped(bus.data, "acme") >= ROUNDS, 60, f"what was thrown has come, seed {SEED}")
    assert bus.forwards(), f"seed {SEED}"
    after, peak = bus.memory_used(), bus.memory_used("VmHWM")
    print(f"MiB: {before} before, {with_connections} with 1,000 half-open connections, {after} after, {peak} at most")
    assert bus.process.poll() is None, f"seed {SEED}"
    assert after < before + 96 and peak < 400, f"seed {SEED}"


def test_a_message_without_end_ends_the_bus_before_the_machine(binaries, folder):
    # libzmq keeps a message until its last frame has come; nothing but the bus's own watch bounds that.
    words = [f"{binaries}/event-bus", "--data", str(folder), "--bus", f"ipc://{folder}/bus", "--memory-limit", "128"]
    log = folder / "bus.log"
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    door, most = folder / "bus" / "requests", 0
    try:
        until(door.exists, 30, "the bus opens")
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(30)
            raw.connect(str(door))
            raw.sendall(greeting(b"NULL") + command(b"READY", b"\x0bSocket-Type\x00\x00\x00\x06DEALER"))
            answer = b""
            # Frames that come before it is ready are no message yet: the connection would be closed.
            while b"ROUTER" not in answer:
                answer += raw.recv(1024)
            frame = b"\x03" + struct.pack(">Q", 65_536) + b"x" * 65_536
            with pytest.raises(OSError):
                for _ in range(100_000):
                    raw.sendall(frame)
                    most = max(most, memory(process.pid, "VmRSS"))
        assert until(lambda: process.poll() is not None, 30, "the bus ends by itself") and process.returncode == 1
        print(f"MiB: {most} at most")
        assert most < 900 and "MiB" in log.read_text()
    finally:
        process.kill()
        process.wait()
