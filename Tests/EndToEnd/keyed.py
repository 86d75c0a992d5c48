"""A suite on a tcp bus, where everybody has a key."""

import os

import zmq
from suite import free_ports
from tap import SERVICES, TappedSuite

RIGHTS = {"acme": "pub=t/acme/* sub=feed req=fetch,snapshot,publish,claim:acme/*"}


def three_ports():
    """The first of three free ports in a row."""
    import socket

    while True:
        (first,) = free_ports(1)
        try:
            for port in (first + 1, first + 2):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue


class KeyedSuite(TappedSuite):
    """Started service by service, as an operator does whose services dial a bus elsewhere."""

    def __init__(self, binaries, data):
        super().__init__(binaries, data, None)
        self.address = f"tcp://127.0.0.1:{three_ports()}"
        self.keys = self.data / "keys"

    def up(self):
        self.keys.mkdir(mode=0o700, parents=True)
        lines = []
        for client in ["event-bus", *SERVICES, *RIGHTS, "stranger"]:
            public = self.generate(client)
            logs = [client, "ingest"] if client == "trigger-service" else [client]
            own = f"pub={','.join(f'e/{log}/*,t/{log}/*' for log in logs)} sub=feed req=* rate=100000"
            if client not in ("event-bus", "stranger"):
                lines.append(f"{public} {client} {RIGHTS.get(client, own)}\n")
        (self.keys / "authorized_keys").write_text("".join(lines))
        super().up()

    def bus_words(self, service):
        return ["--bus", self.address, "--keys", str(self.keys)]

    def generate(self, client):
        """The format of `martlet keys generate`, which is ZeroMQ's own."""
        public, secret = (key.decode() for key in zmq.curve_keypair())
        path = self.keys / f"{client}.key"
        path.write_text(f'metadata\ncurve\n    public-key = "{public}"\n    secret-key = "{secret}"\n')
        os.chmod(path, 0o600)
        if client == "event-bus":
            (self.keys / "event-bus.pub").write_text(f'metadata\ncurve\n    public-key = "{public}"\n')
        return public
