"""MLflow's webhooks, with its real client and a real receiver that is away, refuses, and comes back."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from processes import kill
from suite import Events
from test_mlflow import HERE, Client, ask, find_token
from waiting import until

TOLD = [
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
]


class Receiver:
    """What a company has at the other end: it checks signatures, and answers as it is told to."""

    def __init__(self):
        self.status, self.received = 200, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((receiver.status, dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?token=of-the-address"

    def taken(self):
        return [(headers, json.loads(body)) for status, headers, body in list(self.received) if status == 200]

    def check_signatures(self, secret):
        for _, headers, body in self.received:
            signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
            code = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
            assert headers["X-MLflow-Signature"] == "v1," + base64.b64encode(code).decode()


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.server.shutdown()


def test_what_happens_to_models_is_told_also_when_everybody_dies(suite, receiver):
    suite.environment["MARTLET_REGISTRY_WEBHOOKS"] = "any"
    suite.up()
    events = Events(suite, tell=lambda event: None)
    try:
        client = Client("mlflow", suite)
        script = HERE / "mlflow_webhooks.py"

        def run(*words, **further):
            return json.loads(client.run("python", script, *words, **further).splitlines()[-1])

        made = run("make", receiver.url, *TOLD)
        assert made["success"] and made["status"] == 200
        assert len(receiver.taken()) == 1, "the example arrived"
        receiver.status = 503
        run("work")
        until(lambda: len(receiver.received) > 3, 30, "it was tried")
        # The registry dies with all of it still to be told, and again while it is told.
        kill(suite, "registry-service")
        until(suite.is_ready, 60, "the registry is back")
        receiver.status = 200
        until(lambda: len(receiver.taken()) > 2, 60, "some were taken")
        kill(suite, "registry-service")

        def told():
            return {headers["X-MLflow-Delivery-Id"]: body for headers, body in receiver.taken()[1:]}

        until(lambda: len(told()) == len(TOLD), 120, "all were taken")
        until(suite.is_ready, 60, "the registry is back")
        assert sorted(f"{body['entity']}.{body['action']}" for body in told().values()) == sorted(TOLD)
        (created,) = [body for body in told().values() if body["entity"] == "registered_model"]
        assert created["data"] == {"name": "told", "tags": {"a": "b"}, "description": "d"}
        receiver.check_signatures("s3cret")
        # A name and a password do as well as a token.
        basic = {"MLFLOW_TRACKING_USERNAME": "anybody", "MLFLOW_TRACKING_PASSWORD": client.environment["MLFLOW_TRACKING_TOKEN"]}
        client.environment["MLFLOW_TRACKING_TOKEN"] = ""
        assert run("rest", made["id"], receiver.url, **basic)["gone"] == "RESOURCE_DOES_NOT_EXIST"
        changed = [event["data"] for event in events.find("model.webhook_changed")]
        assert [one["change"] for one in changed] == ["created", "updated", "deleted"]
        assert not events.find("model.webhook_failed")
        assert not [body for body in told().values() if body["data"]["name"] == "untold"]
        # Neither the secret nor the rest of the address is in an event, a log or a file.
        said = json.dumps(events.find_all()) + suite.logs(lines=10_000)
        assert "s3cret" not in said and "of-the-address" not in said
        for path in (suite.data / "services").rglob("*"):
            if path.is_file():
                assert b"s3cret" not in path.read_bytes(), f"the secret is in {path}"
        key = suite.data / "services" / "registry-service" / "webhooks.key"
        assert key.stat().st_mode & 0o777 == 0o600
    finally:
        events.stop()


def test_nobody_has_this_machine_asked_who_may_not(suite, events, receiver):
    root = "/api/2.0/mlflow/webhooks"
    body = {"name": "w", "url": receiver.url, "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]}
    for role, expected in [("operator", 403), ("approver", 400)]:
        own = {"Authorization": f"Bearer {find_token(suite.ask('tokens', 'create', '--role', role))}"}
        until(lambda: ask(suite, "GET", "/api/2.0/mlflow/registered-models/search", **own)[0] == 200, 30, "the token")
        status, answer = ask(suite, "POST", root, body, **own)
        assert status == expected, answer
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE" and "MARTLET_REGISTRY_WEBHOOKS" in answer["message"]
    assert not receiver.received
