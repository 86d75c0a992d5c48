"""A client of the bus that is nobody's service: pyzmq and a key file, nothing of ours."""

import json
import os
import re
import urllib.request
import uuid

import zmq
import zmq.auth


class Outsider:
    """Speaks MB1 over one bus with the key `<folder>/<name>.key`."""

    def __init__(self, address, folder, name):
        self.name = name
        host, port = address.rsplit(":", 1)
        self.events, self.feed, self.requests = (f"{host}:{int(port) + n}" for n in range(3))
        self.public, self.secret = zmq.auth.load_certificate(folder / f"{name}.key")
        self.server, _ = zmq.auth.load_certificate(folder / "event-bus.pub")
        self.context = zmq.Context()

    def dial(self, kind, endpoint, **options):
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.curve_publickey, socket.curve_secretkey = self.public, self.secret
        socket.curve_serverkey = self.server
        for option, value in options.items():
            setattr(socket, option, value)
        socket.connect(endpoint)
        return socket

    def subscriber(self, *prefixes):
        socket = self.dial(zmq.SUB, self.feed)
        for prefix in prefixes:
            socket.subscribe(prefix)
        return socket

    def ask(self, method, target, params=None, body=(), seconds=5):
        """Status and params; `None` when nobody answered."""
        socket = self.dial(zmq.DEALER, self.requests)
        try:
            socket.send_multipart(
                [b"", b"MB1", os.urandom(16), method.encode(), target.encode(), str(seconds * 1000).encode()]
                + [json.dumps(params or {}).encode(), *body]
            )
            if not socket.poll(seconds * 1000):
                return None
            frames = socket.recv_multipart()
            return int(frames[3]), json.loads(frames[4])
        finally:
            socket.close()

    def publish(self, kind, data, event_id=None, seconds=5):
        event = {
            "specversion": "1.0",
            "id": event_id or str(uuid.uuid4()),
            "source": f"//{self.name}",
            "type": kind,
            "data": data,
        }
        return self.ask("publish", "ingest", body=[json.dumps(event).encode()], seconds=seconds)

    def close(self):
        self.context.destroy(linger=0)


def heard(socket, seconds):
    """Every message until none has come for that long."""
    messages = []
    while socket.poll(seconds * 1000):
        messages.append(socket.recv_multipart())
    return messages


def dropped(data, client=".*", reason=".*"):
    """How many messages and requests the bus of a data folder did not take, as it counts them itself."""
    address = json.loads((data / "services" / "event-bus" / "http.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{address['port']}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    drops = [line for line in lines if line.startswith("martlet_bus_dropped_total{")]
    wanted = [d for d in drops if re.search(f'client="{client}"', d) and re.search(f'reason="{reason}"', d)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)
