"""The real clients of MLflow 2 and 3 at the registry's door, unmodified, each in an environment of its own."""

import http.client
import json
import os
import re
import subprocess
import urllib.request

import pytest
from conftest import ROOT
from suite import free_ports
from waiting import until

HERE = ROOT / "Tests" / "EndToEnd"
CLIENTS = {"mlflow": "3.", "mlflow2": "2."}


class Client:
    """One environment with MLflow in it, pointed at a suite."""

    def __init__(self, name, suite):
        self.bin = ROOT / ".build" / f"venv-{name}" / "bin"
        if not (self.bin / "mlflow").exists():
            pytest.fail(f"{self.bin} has no mlflow: run 'make {self.bin.parent.relative_to(ROOT)}/ready'")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "MARTLET_"))} | {
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{suite.ports['registry']}",
            "MLFLOW_TRACKING_TOKEN": (suite.data / "tokens" / "admin").read_text().strip(),
            # What is answered wrongly must fail at once, and not after seven tries.
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "GIT_PYTHON_REFRESH": "quiet",
        }

    def run(self, *words, **further):
        done = subprocess.run(
            [self.bin / words[0], *words[1:]],
            env=self.environment | further,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{words}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.mark.parametrize("name", CLIENTS)
def test_a_real_client_works_unmodified(name, suite, events):
    client = Client(name, suite)
    said = json.loads(client.run("python", HERE / "mlflow_client.py").splitlines()[-1])
    assert said["version"].startswith(CLIENTS[name]) and said["versions"] == 2, said
    # C-2: whoever listens has heard of all of it, in order.
    events.wait("model.deleted", 30, model="line-copy")
    names = [e["name"] for e in events.find_all() if e["data"].get("model") == "line"]
    assert names[:6] == [
        "model.created",
        "model.registered",
        "model.registered",
        "model.alias_changed",
        "model.stage_changed",
        "model.stage_changed",
    ], names
    assert all(e["actor"] == "user:admin" for e in events.find_all() if e["name"].startswith("model."))
    # Of one model the only version was deleted; it has a history none the less.
    until(lambda: verified(suite) == {"line": "intact", "line-copy": "intact"}, 30, "all histories are verified")
    if name == "mlflow":
        check_command_line(client)
        check_serving(client)


def verified(suite):
    return {row["model"]: row["result"] for row in suite.ask("models", "verify")["items"]}


def check_command_line(client):
    assert "first steps" in client.run("mlflow", "experiments", "search")
    assert "one" in client.run("mlflow", "runs", "list", "--experiment-id", "1")


def check_serving(client):
    (port,) = free_ports(1)
    server = subprocess.Popen(
        [client.bin / "mlflow", "models", "serve", "-m", "models:/line/Production"]
        + ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)],
        env=client.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        until(lambda: answers(port) or server.poll() is not None, 90, "mlflow models serve")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            json.dumps({"inputs": [[5.0]]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            (prediction,) = json.load(answer)["predictions"]
        assert abs(prediction - 10) < 1e-6
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def answers(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).status == 200
    except OSError:
        return False


def ask(suite, method, path, body=None, **headers):
    """As no client would: the path goes as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", suite.ports["registry"], timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    body = json.dumps(body).encode() if body is not None else b""
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text.startswith(b"{") else text


def test_nobody_comes_in_without_a_token_or_by_a_foreign_name(suite, events):
    token = (suite.data / "tokens" / "admin").read_text().strip()
    root = "/api/2.0/mlflow"
    own = {"Authorization": f"Bearer {token}"}
    until(lambda: ask(suite, "GET", f"{root}/experiments/get?experiment_id=0", **own)[0] == 200, 30, "the token")
    for path in ["/experiments/get?experiment_id=0", "/registered-models/search", "/nope"]:
        assert ask(suite, "GET", root + path)[0] == 401
        assert ask(suite, "GET", root + path, Authorization="Bearer mlt_0_0")[0] == 401
    assert ask(suite, "GET", "/api/2.0/mlflow-artifacts/artifacts/x")[0] == 401
    status, answer = ask(suite, "POST", f"{root}/runs/create", {"experiment_id": "0"}, Origin="http://evil.test", **own)
    assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
    assert ask(suite, "GET", f"{root}/registered-models/search", Host="evil.test", **own)[0] == 403
    for path in ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "a/%252e%252e/b", "a%00b"]:
        status, answer = ask(suite, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}", **own)
        assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), path


def test_a_role_says_what_a_token_may(suite, events):
    root = "/api/2.0/mlflow"
    made = {}
    for role in ["viewer", "operator", "approver"]:
        out = suite.ask("tokens", "create", "--role", role)
        made[role] = {"Authorization": f"Bearer {find_token(out)}"}
    for headers in made.values():
        until(lambda: ask(suite, "GET", f"{root}/registered-models/search", **headers)[0] == 200, 30, "the token")
    create = ["POST", f"{root}/registered-models/create", {"name": "m"}]
    assert ask(suite, *create, **made["viewer"])[0] == 403
    assert ask(suite, *create, **made["operator"])[0] == 200
    rename = ["POST", f"{root}/registered-models/rename", {"name": "m", "new_name": "n"}]
    status, answer = ask(suite, *rename, **made["operator"])
    assert status == 403 and "approver" in answer["message"], answer
    assert ask(suite, *rename, **made["approver"])[0] == 200


def test_what_is_wished_again_after_a_restart_is_made_again(suite, events):
    own = {"Authorization": f"Bearer {(suite.data / 'tokens' / 'admin').read_text().strip()}"}

    def wish():
        return ask(suite, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0", "run_name": "twin"}, **own)

    def made():
        _, answer = until(lambda: (got := wish())[0] == 200 and got, 30, "the token")
        return answer["run"]["info"]["run_id"]

    first = made()
    suite.down()
    suite.up()
    assert made() != first


def find_token(answer):
    return re.search(r"mlt_[0-9A-Za-z]+_[0-9A-Za-z]+", json.dumps(answer)).group(0)


def test_the_example_goes_from_an_unmodified_script_to_a_served_model(suite, events, repo):
    files = {p.name.replace(".", "__"): p.read_text() for p in (ROOT / "Examples" / "mlflow").iterdir() if p.is_file()}
    suite.command("repo", "add", "ridge", str(repo.origin), "--poll", "0.3")
    repo.push(**files)
    run = events.wait("run.finished", 300)
    assert run["data"]["outcome"] == "succeeded", run["data"]
    trained = events.wait("training.finished", 30)["data"]
    assert trained["metrics"]["test_mse"] > 1000 and trained["params"]["alpha"] == "0.1", trained
    assert "MLmodel" in trained["model"]["files"], trained
    # S1-13: the one join between a pipeline's run and what its code told.
    assert trained["tags"]["external_run_id"] == run["data"]["run"]
    version = events.wait("model.registered", 30)["data"]
    assert version["artifact"]["digest"] == trained["model"]["digest"]
    events.wait("model.stage_changed", 30)
    assert [e["data"]["to"] for e in events.find("model.stage_changed")] == ["Production"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{suite.ports['gateway']}/endpoints/api/invocations",
        json.dumps({"inputs": [[0.0] * 10]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        (prediction,) = json.load(answer)["predictions"]
    assert 100 < prediction < 200, prediction
    # The token of the training run is told to its process alone.
    secret = re.compile(r"mlt_run[0-9a-f]+_[0-9a-f]+")
    assert not secret.search(json.dumps(events.find_all()) + suite.logs(lines=1000))
