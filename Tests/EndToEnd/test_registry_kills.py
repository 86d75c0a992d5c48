"""`kill -9` of the registry while MLflow's clients write: what was answered is there, what was sent again is there once."""

import http.client
import json
import threading
import time

from processes import kill
from test_mlflow import ask
from waiting import until

ROOT = "/api/2.0/mlflow"
WRITERS = 8
MODELS = 3
KILLS = 5
# What is written between two kills, by all together.
WRITES = 120


class Writer(threading.Thread):
    """As MLflow's client writes: on a kept connection, the same request again until it is answered."""

    def __init__(self, suite, number, stop):
        super().__init__(daemon=True)
        token = (suite.data / "tokens" / "admin").read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.port, self.number, self.stop = suite.ports["registry"], number, stop
        self.connection = None
        self.repeated, self.answered = 0, 0
        self.runs, self.versions, self.failure = {}, {}, None

    def run(self):
        try:
            model = f"m{self.number % MODELS}"
            source = self.new_source()
            turn = 0
            while not self.stop.is_set():
                turn += 1
                self.write(f"{self.number}-{turn}", model, source)
        except Exception as error:  # noqa: BLE001: the test shows it
            self.failure = error

    def new_source(self):
        run = self.ask("POST", "/runs/create", {"experiment_id": "0", "run_name": f"source-{self.number}"})
        path = f"0/{run['run']['info']['run_id']}/artifacts/model"
        self.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}/MLmodel", b"flavors: {}\n")
        return f"mlflow-artifacts:/{path}"

    def write(self, name, model, source):
        made = self.ask("POST", "/runs/create", {"experiment_id": "0", "run_name": name})
        run = made["run"]["info"]["run_id"]
        self.runs[name] = run
        self.ask("POST", "/runs/log-metric", {"run_id": run, "key": "m", "value": self.number, "timestamp": 1})
        self.ask("POST", "/runs/log-parameter", {"run_id": run, "key": "p", "value": name})
        wish = {"name": model, "source": source, "description": name}
        version = self.ask("POST", "/model-versions/create", wish)["model_version"]["version"]
        self.versions[name] = (model, version)
        self.ask("POST", "/model-versions/set-tag", {"name": model, "version": version, "key": "by", "value": name})

    def ask(self, method, path, body):
        path = path if path.startswith("/api/") else ROOT + path
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        deadline = time.monotonic() + 120
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.connection.request(method, path, text, self.headers)
                answer = self.connection.getresponse()
                said = answer.read()
                if answer.status == 200:
                    self.answered += 1
                    return json.loads(said or b"{}")
                # Nothing may be made and then answered with an error: only who could not begin says so.
                assert answer.status == 503, f"{path}: {answer.status} {said[:300]}"
            except (OSError, http.client.HTTPException):
                self.connection = None
            self.repeated += 1
            assert time.monotonic() < deadline, f"{path} was not answered"
            time.sleep(0.05)


def test_what_was_answered_is_there_and_what_was_sent_again_is_there_once(suite, events):
    stop = threading.Event()
    reader = Writer(suite, 99, stop)
    until(lambda: ask(suite, "GET", f"{ROOT}/registered-models/search", **reader.headers)[0] == 200, 30, "the token")
    for number in range(MODELS):
        reader.ask("POST", "/registered-models/create", {"name": f"m{number}"})
    writers = [Writer(suite, number, stop) for number in range(WRITERS)]
    for writer in writers:
        writer.start()

    def failed():
        return next((writer.failure for writer in writers if writer.failure), None)

    try:
        for _ in range(KILLS):
            before = sum(writer.answered for writer in writers)
            until(lambda: sum(w.answered for w in writers) > before + WRITES or failed(), 120, "they write")
            kill(suite, "registry-service")
        before = sum(writer.answered for writer in writers)
        until(lambda: sum(w.answered for w in writers) > before + WRITES or failed(), 120, "they write again")
    finally:
        stop.set()
        for writer in writers:
            writer.join(150)
    assert not failed(), failed()
    assert sum(writer.repeated for writer in writers) > KILLS, "nobody was cut off"
    runs = {name: run for writer in writers for name, run in writer.runs.items()}
    versions = {name: place for writer in writers for name, place in writer.versions.items()}
    check_runs(reader, runs)
    check_versions(reader, versions)
    check_events(events, versions)


def pages(reader, method, path, field, **body):
    token = ""
    while True:
        asked = {**body, "page_token": token}
        if method == "GET":
            words = "&".join(f"{key}={value}" for key, value in asked.items())
            page = reader.ask("GET", f"{path}?{words}", b"")
        else:
            page = reader.ask(method, path, asked)
        yield from page.get(field, [])
        token = page.get("next_page_token", "")
        if not token:
            return


def check_runs(reader, runs):
    found = [r for r in pages(reader, "POST", "/runs/search", "runs", experiment_ids=["0"], max_results=1000)]
    names = [r["info"]["run_name"] for r in found if not r["info"]["run_name"].startswith("source-")]
    assert len(names) == len(set(names)), "a run was made twice"
    by_name = {r["info"]["run_name"]: r for r in found}
    for name, run in runs.items():
        held = by_name[name]
        assert held["info"]["run_id"] == run, name
        assert [m["value"] for m in held["data"]["metrics"]] == [int(name.split("-")[0])], name
        assert [p["value"] for p in held["data"]["params"]] == [name], name


def check_versions(reader, versions):
    for number in range(MODELS):
        model = f"m{number}"
        found = list(
            pages(reader, "GET", "/model-versions/search", "model_versions", filter=f"name%3D'{model}'", max_results=500)
        )
        assert sorted(int(v["version"]) for v in found) == list(range(1, len(found) + 1)), "numbers are dense"
        made = {v["description"]: v for v in found}
        assert len(made) == len(found), "a version was made twice"
        for name, (owner, version) in versions.items():
            if owner == model:
                assert made[name]["version"] == version, name


def check_events(events, versions):
    """The change and its event are one commit: as many as there are versions, each once."""
    until(lambda: len(events.find("model.registered")) >= len(versions), 60, "all are told")
    told = [(e["data"]["model"], str(e["data"]["version"])) for e in events.find("model.registered")]
    assert len(told) == len(set(told))
    assert set(told) >= set(versions.values())
