"""What goes on while containers are scaled, killed and replaced: events published, models asked, doors knocked at."""

import hashlib
import hmac
import http.client
import itertools
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


def send(url, method, path, body, headers):
    """One request on a connection of its own, as many clients make them; 30 s are the patience of most of them."""
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Requests(Paced):
    """One request again and again."""

    def __init__(self, url, rate, threads=4, body=None):
        self.url, self.body = urllib.parse.urlsplit(url), body
        super().__init__(rate, threads)

    def turns(self):
        return self.ask

    def ask(self):
        status, text = send(self.url, "POST" if self.body else "GET", self.url.path, self.body, {})
        assert status == 200, f"{status} {text[:200]}"


def scoring(url, rate):
    return Requests(url, rate, threads=8, body=json.dumps({"data": [PATIENT]}))


class Tracking(Paced):
    """MLflow's REST API as its client speaks it: a run for each turn, with a metric; what was acknowledged is kept."""

    def __init__(self, url, token, rate, threads=2):
        self.url, self.token, self.logged = urllib.parse.urlsplit(url), token, {}
        self.experiment = self.call("experiments/create", name=f"load {uuid.uuid4()}")["experiment_id"]
        super().__init__(rate, threads)

    def call(self, path, **body):
        headers = {"Authorization": f"Bearer {self.token}"}
        status, text = send(self.url, "POST", f"/api/2.0/mlflow/{path}", json.dumps(body), headers)
        assert status == 200, f"{path}: {status} {text[:200]}"
        return json.loads(text)

    def turns(self):
        return self.log

    def log(self):
        now = int(time.time() * 1000)
        created = self.call("runs/create", experiment_id=self.experiment, start_time=now, run_name=str(uuid.uuid4()))
        run = created["run"]["info"]["run_id"]
        self.call("runs/log-metric", run_id=run, key="n", value=now % 1000, timestamp=now)
        with self.lock:
            self.logged[run] = now % 1000

    def found(self):
        """The metric of each run that the registry has, by the run's id."""
        runs, page = {}, None
        while True:
            more = {"page_token": page} if page else {}
            answer = self.call("runs/search", experiment_ids=[self.experiment], max_results=500, **more)
            for run in answer.get("runs", []):
                (metric,) = run["data"]["metrics"]
                runs[run["info"]["run_id"]] = metric["value"]
            page = answer.get("next_page_token")
            if not page:
                return runs


class Pushes(Paced):
    """Signed webhooks of GitHub about one commit, each a delivery of its own."""

    def __init__(self, url, secret, payload, rate, threads=2):
        self.url, self.secret, self.body = urllib.parse.urlsplit(url), secret, json.dumps(payload).encode()
        self.name, self.numbers, self.acknowledged = uuid.uuid4(), itertools.count(), []
        super().__init__(rate, threads)

    def deliver(self, delivery):
        signature = hmac.new(self.secret.encode(), self.body, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": "push", "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": f"sha256={signature}",
        }  # fmt: skip
        status, text = send(self.url, "POST", "/webhooks/github", self.body, headers)
        assert status == 202, f"{status} {text[:200]}"
        return json.loads(text)

    def turns(self):
        def turn():
            delivery = f"{self.name}-{next(self.numbers)}"
            self.deliver(delivery)
            with self.lock:
                self.acknowledged.append(delivery)

        return turn

    def forgotten(self):
        """Those that were answered, and are not known when they come again."""
        return [delivery for delivery in self.acknowledged if not self.deliver(delivery)["repeated"]]


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
