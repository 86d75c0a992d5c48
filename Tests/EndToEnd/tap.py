"""A suite whose services and clients dial the bus through a tap: every frame that passes is kept."""

import json
import subprocess
import threading
from collections import namedtuple
from pathlib import Path

import zmq
from suite import Suite
from waiting import until

SERVICES = ["trigger-service", "trainer-proxy", "evaluator", "registry-service", "deployer", "notifier", "console"]
Exchange = namedtuple("Exchange", "method target params status reply body")


class Tap:
    """Sockets in `folder` that pass everything on to those in `bus`, and remember it."""

    def __init__(self, folder, bus):
        folder.mkdir(mode=0o700)
        self.address, self.bus = f"ipc://{folder}", f"ipc://{bus}"
        self.live, self.exchanges = [], []
        self.context = zmq.Context()
        self.threads = [
            self.start(self.forward, zmq.XSUB, "events", zmq.XPUB),
            self.start(self.forward, zmq.XPUB, "feed", zmq.XSUB),
            self.start(self.listen),
            self.start(self.route),
        ]

    @staticmethod
    def start(body, *arguments):
        thread = threading.Thread(target=body, args=arguments, daemon=True)
        thread.start()
        return thread

    def socket(self, kind):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        for option in (zmq.SNDHWM, zmq.RCVHWM):
            socket.setsockopt(option, 0)
        return socket

    def until_closed(self, work):
        try:
            work()
        except zmq.ContextTerminated:
            pass

    def forward(self, front, name, back):
        near, far = self.socket(front), self.socket(back)
        near.bind(f"{self.address}/{name}")
        far.connect(f"{self.bus}/{name}")
        self.until_closed(lambda: zmq.proxy(near, far))
        near.close(), far.close()

    def listen(self):
        feed = self.socket(zmq.SUB)
        feed.subscribe("")
        feed.connect(f"{self.bus}/feed")

        def work():
            while True:
                self.live.append(feed.recv_multipart())

        self.until_closed(work)
        feed.close()

    def route(self):
        """One DEALER for each client: the bus tells them apart by their connections."""
        router, dealers, asked = self.socket(zmq.ROUTER), {}, {}
        router.bind(f"{self.address}/requests")
        poller = zmq.Poller()
        poller.register(router, zmq.POLLIN)

        def keep(way, identity, frames):
            key = (identity, way, frames[2])
            if len(frames[3]) != 3 or not frames[3].isdigit():
                asked[key] = frames
            elif request := asked.pop((identity, "out" if way == "in" else "in", frames[2]), None):
                params, reply = json.loads(request[6]), json.loads(frames[4])
                names = request[3].decode(), request[4].decode()
                self.exchanges.append(Exchange(*names, params, int(frames[3]), reply, frames[5:]))

        def work():
            while True:
                for socket, _ in poller.poll():
                    frames = socket.recv_multipart()
                    if socket is router:
                        identity, frames = frames[0], frames[1:]
                        if identity not in dealers:
                            dealers[identity] = self.socket(zmq.DEALER)
                            dealers[identity].connect(f"{self.bus}/requests")
                            poller.register(dealers[identity], zmq.POLLIN)
                        keep("out", identity, frames)
                        dealers[identity].send_multipart(frames)
                    else:
                        identity = next(name for name, one in dealers.items() if one is socket)
                        keep("in", identity, frames)
                        router.send_multipart([identity, *frames])

        self.until_closed(work)
        for socket in [router, *dealers.values()]:
            socket.close()

    def stop(self):
        self.context.term()
        for thread in self.threads:
            thread.join(30)


class TappedSuite(Suite):
    """Started service by service, as an operator without `martlet up` would."""

    def __init__(self, binaries, data, tap):
        super().__init__(binaries, data)
        self.binaries, self.tap, self.processes = Path(binaries).resolve(), tap, []

    def up(self):
        for service in ["event-bus", *SERVICES]:
            self.start(service, *self.bus_words(service))
        for service in SERVICES:
            until((self.data / "services" / service / "http.json").exists, 60, f"{service} listens")
        until((self.data / "tokens" / "admin").exists, 60, "the console has its token")

    def bus_words(self, service):
        return [] if service == "event-bus" else ["--bus", self.tap.address]

    def start(self, service, *words):
        folder = self.data / "services" / service
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "log", "ab") as log:
            command = [self.binaries / service, "--data", self.data, "--port", "0", *words]
            self.processes.append(
                subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )

    def down(self, *words):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(60)
