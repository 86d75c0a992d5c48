"""Everything that people do with Martlet, once, on a bus with a tap: what was said meanwhile is looked at by others."""

import json
import shutil
import sys
import tempfile
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import repository
from conftest import ROOT
from others import Slack
from suite import Events
from tap import Tap, TappedSuite
from waiting import until

sys.path.insert(0, str(ROOT / "Examples" / "integrations"))

import mb1  # noqa: E402

# What the story must bring about; anything beyond it is checked as well.
TOLD = """
approval.finished approval.given approval.requested approval.revoked artifact.published change.pushed checks.published
command.approval_answered command.approval_revoke_requested command.bypass_requested command.history_check_requested
command.notification_test_requested command.repository_add_requested
command.repository_remove_requested command.rollback_requested command.run_cancel_requested command.run_requested
command.run_retry_requested command.transition_requested
deployment.command_answered deployment.finished deployment.rolled_back deployment.started endpoint.changed
dataset.registered environment.built environment.registered environment.reused
evaluation.bypassed evaluation.command_answered evaluation.decided job.finished job.started
model.command_answered model.history_checked model.registered model.stage_changed model.tagged
model.webhook_changed model.webhook_failed notification.command_answered notification.failed notification.sent project.loaded project.rejected
repository.added repository.recovered repository.removed repository.unreachable run.cancel_begun run.finished run.queued run.started
smoke_test.finished step.cancel_requested step.finished step.started testsuite.finished training.finished
training.started trigger.command_answered trigger.ignored trigger.matched
""".split()

METHODS = "hello fetch snapshot publish session.open session.keepalive claim checkpoint complete fail".split()

CHECKS = """\
martlet: 1
project: fast
model: { champion: stage=production, stages: { preset: trunk } }
notify:
  - { when: [run.finished], use: file, channel: fast.jsonl }
  - { when: [run.finished], use: slack, channel: "${{ secrets.NOWHERE }}" }
pipelines:
  checks:
    on: { manual: {} }
    jobs:
      one:
        steps:
          - { uses: env/ensure, with: { files: environment.yml } }
          - { uses: dataset/ensure, with: { name: rows, initialize_from: given.xml } }
          - { uses: checks/publish, with: { junit: given.xml } }
          - { uses: env/ensure, with: { requirements: requirements.txt } }
          - { id: tests, uses: evaluate/test, with: { command: "cp given.xml report.xml", report: { path: report.xml } } }
          - { run: "echo hello" }
      two:
        needs: one
        steps:
          - { uses: env/ensure, with: { requirements: requirements.txt } }
          - { uses: registry/tag, with: { version: 1, tags: { looked: "yes" } } }
  long:
    on: { manual: {} }
    jobs:
      only: { steps: [ { run: "sleep 600" } ] }
  foreign:
    on: { manual: {} }
    jobs:
      only:
        steps:
          - { uses: acme/fairness-check, with: { n: 1 } }
"""

REPORT = '<testsuite name="t" tests="1" failures="0" errors="0" skipped="0" time="0.1"><testcase classname="a" name="b" time="0.1"/></testsuite>'


class Gone(BaseHTTPRequestHandler):
    """A webhook that was removed."""

    def do_POST(self):
        self.send_error(404)

    def log_message(self, *arguments):
        """Silent."""


@contextmanager
def told(binaries):
    """The tap and the folder of an installation with which all of it was done."""
    folder = Path(tempfile.mkdtemp(prefix="martlet-test-"))
    (folder / "data" / "secrets").mkdir(parents=True, mode=0o700)
    (folder / "data" / "bus").mkdir(mode=0o700)
    slack = Slack()
    (folder / "data" / "secrets" / "SLACK_HOOK").write_text(slack.url)
    gone = HTTPServer(("127.0.0.1", 0), Gone)
    threading.Thread(target=gone.serve_forever, daemon=True).start()
    nowhere = f"http://127.0.0.1:{gone.server_port}/services/none"
    (folder / "data" / "secrets" / "NOWHERE").write_text(nowhere)
    tap = Tap(folder / "tap", folder / "data" / "bus")
    suite = TappedSuite(binaries, folder / "data", tap)
    suite.environment["MARTLET_REGISTRY_WEBHOOKS"] = "any"
    try:
        suite.up()
        events = Events(suite, tell=lambda event: None)
        tell(suite, events, repository.Repository(folder / "repo"), folder, tap, nowhere)
        events.stop()
        yield tap, folder
    except BaseException:
        print(suite.logs())
        raise
    finally:
        suite.down()
        tap.stop()
        slack.stop()
        gone.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def tell(suite, events, repo, folder, tap, nowhere):
    approver = suite.ask("tokens", "create", "--role", "approver", "--name", "grace")["token"]
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    suite.command("notify", "test", "--project", "small", check=False)
    events.wait("notification.command_answered", 60)
    make_webhook(suite, nowhere)
    events.wait("model.webhook_changed", 60)
    for number in (1, 2):
        since = events.mark()
        repo.push_model(number)
        asked = events.wait("approval.requested", 60, since)
        suite.command("approve", asked["data"]["approval"], token=approver)
        assert events.wait("run.finished", 60, since, pipeline="deploy")["data"]["outcome"] == "succeeded"
    events.wait("model.webhook_failed", 60)
    suite.command("endpoints", "rollback", "api", "--reason", "to see it")
    events.wait("deployment.rolled_back", 60)
    said = suite.command("revoke", asked["data"]["approval"], "--comment", "the score was of last year", token=approver)
    assert "martlet endpoints rollback api" in said, said
    events.wait("approval.revoked", 60)
    suite.command("models", "transition", "fast", "2", "production")
    since = events.mark()
    repo.push_model(0)
    lost = events.wait("run.finished", 60, since, pipeline="train", outcome="not_promoted")["data"]["run"]
    suite.command("runs", "bypass", lost, "--reason", "to see it")
    events.wait("evaluation.bypassed", 60)
    suite.command("models", "verify", "fast")
    events.wait("model.history_checked", 60)

    repo.push(martlet__yml="martlet: 1\npipelines: nonsense\n")
    events.wait("project.rejected", 60)
    since = events.mark()
    repo.push(martlet__yml=CHECKS, requirements__txt="", given__xml=REPORT, environment__yml="name: plain\nversion: 1\n")
    events.wait("project.loaded", 60, since)
    # The console hears of it a moment after we do.
    until(lambda: suite.command("run", "checks", "--project", "fast", check=False), 60, "the console knows the pipeline")
    assert events.wait("run.finished", 120, since, pipeline="checks")["data"]["outcome"] == "succeeded"
    since = events.mark()
    suite.command("run", "long", "--project", "fast")
    events.wait("step.started", 60, since)
    run = events.wait("run.started", 60, since)["data"]["run"]
    until(lambda: heard(tap, b"t/trainer-proxy/step.progress"), 60, "a long step tells that it goes on")
    suite.command("runs", "cancel", run)
    events.wait("run.finished", 60, since, run=run)
    since = events.mark()
    suite.command("runs", "retry", run)
    events.wait("step.started", 60, since)
    suite.command("runs", "cancel", run)
    events.wait("run.finished", 60, since, run=run)
    serve_steps(suite, events, tap)
    suite.command("notify", "test", "--project", "fast", check=False)
    events.wait("notification.failed", 120)
    away = repo.origin.rename(folder / "away")
    events.wait("repository.unreachable", 60)
    away.rename(repo.origin)
    events.wait("repository.recovered", 60)
    suite.command("repo", "remove", "fast")
    events.wait("repository.removed", 60)
    until(lambda: {e.method for e in tap.exchanges} >= set(METHODS), 60, "every method was asked")


def make_webhook(suite, url):
    """As an MLflow client makes one."""
    door = json.loads((suite.data / "services" / "registry-service" / "http.json").read_text())
    token = (suite.data / "tokens" / "admin").read_text().strip()
    body = {"name": "gone", "url": url, "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{door['port']}/api/2.0/mlflow/webhooks",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def serve_steps(suite, events, tap):
    """An outsider on the tapped bus: says, claims, leaves word, completes, fails, and asks what is refused."""
    bus = mb1.Bus(mb1.options("a test").parse_args(["--bus", tap.address]))
    event = {"specversion": "1.0", "id": "1", "source": "/acme", "type": "com.acme.said", "data": {"a": 1}}
    assert bus.ask("publish", "ingest", {}, [json.dumps(event).encode()]).status == 200
    assert bus.ask("publish", "ingest", {}, [json.dumps(event | {"data": 2}).encode()]).status == 409
    assert bus.ask("publish", "ingest", {}, [b"no json"]).status == 400
    assert bus.ask("fetch", "nobody", {"epoch": 0, "after": 0, "limit": 1, "maxBytes": 1}).status == 503
    assert bus.ask("fetch", "ingest", {"epoch": 9999999999999, "after": 0, "limit": 1, "maxBytes": 9}).status == 409
    part = {"limit": 256, "maxBytes": 1 << 19}
    assert bus.ask("snapshot", "trigger-service", part).status == 200
    assert bus.ask("snapshot", "trigger-service", {**part, "at": {"epoch": 1, "seq": 1}}).status == 409
    assert bus.ask("no-such-method", "trigger-service", {}).status == 404
    opened = bus.ask("session.open", "trigger-service", {"worker": "acme", "verbs": ["acme/*"]}).params
    session = {"session": opened["session"]}
    assert bus.ask("session.keepalive", "trigger-service", session).status == 200
    assert bus.ask("session.keepalive", "trigger-service", {"session": "none"}).status == 404
    assert bus.ask("claim", "trigger-service", session, timeout=1).status == 204
    for method in ("complete", "fail"):
        since = events.mark()
        suite.command("run", "foreign", "--project", "fast")
        (item,) = bus.ask("claim", "trigger-service", session, timeout=20).params["items"]
        step = {"item": item["item"], "token": item["token"]}
        assert bus.ask("checkpoint", "trigger-service", {**step, "state": {"half": True}}).status == 200
        assert bus.ask("checkpoint", "trigger-service", {**step, "token": 1, "state": {}}).status == 409
        result = {"outcome": "succeeded", "outputs": {"n": 1}}
        said = {**step, "result": result} if method == "complete" else {**step, "message": "no"}
        assert bus.ask(method, "trigger-service", said).status == 200
        events.wait("run.finished", 60, since, pipeline="foreign")
    telemetry = bus.socket(mb1.zmq.PUB, "events")
    until(lambda: telemetry.send_multipart([b"t/acme/gpu", b'{"n": 1}']) or heard(tap, b"t/acme/gpu"), 60, "telemetry")


def heard(tap, topic):
    return any(frames[0] == topic for frames in list(tap.live))
