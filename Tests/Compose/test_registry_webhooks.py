"""The registry's webhooks get out of the containers, to a receiver that is no part of the suite."""

import json
import time
from urllib.parse import urlsplit

import pytest
from engine import inspect, podman
from load import send
from waiting import until

# Says each delivery on a line of its own.
RECEIVER = """\
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass

http.server.HTTPServer(("0.0.0.0", 9000), Handler).serve_forever()
"""


@pytest.fixture
def telling(up):
    """With leave to tell private addresses, which receivers in containers have."""

    def begin_anew():
        up.compose("up", "--detach", "--no-deps", "registry-service")
        up.until_healthy()

    up.settings["MARTLET_REGISTRY_WEBHOOKS"] = "any"
    begin_anew()
    yield up
    del up.settings["MARTLET_REGISTRY_WEBHOOKS"]
    begin_anew()


@pytest.fixture
def receiver(up, built):
    network = f"{up.name}_outside"
    name = podman("run", "--detach", "--network", network, built, "python3", "-c", RECEIVER)
    yield name, f"http://{inspect('container', name)['NetworkSettings']['Networks'][network]['IPAddress']}:9000/hook"
    podman("rm", "--force", "--time", "5", name)


def test_a_receiver_outside_is_told_of_a_new_model(telling, receiver):
    name, url = receiver
    telling.ask("status")
    door, headers = urlsplit(telling.door("MARTLET_MLFLOW_PORT")), {"Authorization": f"Bearer {telling.token}"}

    def ask(method, path, **body):
        status, text = send(door, method, f"/api/2.0/mlflow/{path}", json.dumps(body), headers)
        assert status == 200, f"{path}: {status} {text[:300]}"
        return json.loads(text or "{}")

    events = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]
    webhook = ask("POST", "webhooks", name="outside", url=url, events=events)["webhook"]["webhook_id"]
    model = f"told-{time.time_ns()}"
    ask("POST", "registered-models/create", name=model)
    until(lambda: model in podman("logs", name), 60, "the receiver was told")
    ask("DELETE", f"webhooks/{webhook}")
    ask("DELETE", "registered-models/delete", name=model)
