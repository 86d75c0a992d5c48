"""What goes on while containers are scaled, killed and replaced: events published, models asked, doors knocked at."""

import http.client
import json
import os
import threading
import time
import urllib.parse
import uuid

import zmq

PATIENT = [0.038, 0.051, 0.062, 0.022, -0.044, -0.035, -0.043, -0.003, 0.020, -0.018]
TYPE = "com.acme.load.v1"


class Paced:
    """Threads that do one thing at a rate, each turn noted as done or failed."""

    def __init__(self, rate, threads):
        self.failures, self.slowest, self.done = [], 0.0, 0
        self.over, self.lock = threading.Event(), threading.Lock()
        self.pause = threads / rate
        self.threads = [threading.Thread(target=self.loop, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def loop(self):
        turn = self.turns()
        due = time.monotonic()
        while not self.over.is_set():
            begun = time.monotonic()
            try:
                turn()
                problem = None
            except (OSError, http.client.HTTPException, AssertionError) as error:
                problem = f"{time.strftime('%T')} {type(error).__name__}: {error}"
            with self.lock:
                self.done += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if problem:
                    self.failures.append(problem)
            due = max(due + self.pause, time.monotonic() - 1)
            self.over.wait(max(0, due - time.monotonic()))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(90)
        return self


class Requests(Paced):
    """HTTP requests on new connections, as many clients make them; 30 s are the patience of most of them."""

    def __init__(self, url, rate, threads=4, body=None):
        self.url, self.body = urllib.parse.urlsplit(url), body
        super().__init__(rate, threads)

    def turns(self):
        return self.ask

    def ask(self):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        try:
            connection.request(
                "POST" if self.body else "GET", self.url.path, self.body, {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, f"{answer.status} {text[:200]}"
        finally:
            connection.close()


def scoring(url, rate):
    return Requests(url, rate, threads=8, body=json.dumps({"data": [PATIENT]}))


class Publishing(Paced):
    """Events of an outsider; what was not acknowledged is published again under the same id."""

    def __init__(self, outsider, rate, threads=4):
        self.outsider, self.acknowledged = outsider, []
        super().__init__(rate, threads)

    def turns(self):
        state = {"socket": None}

        def turn():
            event = {
                "specversion": "1.0", "id": str(uuid.uuid4()), "source": "//acme", "type": TYPE,
                "data": {"n": self.done},
            }  # fmt: skip
            deadline = time.monotonic() + 60
            # Also after the end: what was begun is brought to its acknowledgement.
            while time.monotonic() < deadline:
                if state["socket"] is None:
                    state["socket"] = self.outsider.dial(zmq.DEALER, self.outsider.requests)
                if self.ask(state["socket"], event) == 200:
                    with self.lock:
                        self.acknowledged.append(event["id"])
                    return
                state["socket"].close()
                state["socket"] = None
                time.sleep(0.1)
            raise AssertionError(f"event {event['id']} is not acknowledged")

        return turn

    @staticmethod
    def ask(socket, event, seconds=3):
        frames = [b"", b"MB1", os.urandom(16), b"publish", b"ingest", str(seconds * 1000).encode(), b"{}"]
        socket.send_multipart([*frames, json.dumps(event).encode()])
        deadline = time.monotonic() + seconds
        while socket.poll(max(0, int((deadline - time.monotonic()) * 1000))):
            reply = socket.recv_multipart()
            if reply[2] == frames[2]:
                return int(reply[3])
        return None
