"""Causes from outside, as forges and other programs send them: recorded payloads, real signatures, real git."""

import base64
import hashlib
import hmac
import http.client
import json
import shutil

import pytest
from conftest import ROOT
from processes import kill
from waiting import until

PAYLOADS = ROOT / "Tests" / "Fixtures" / "webhooks"
SECRET = "s3cret"

PROJECT = """\
martlet: 1
project: small
pipelines:
  check:
    on: { push: { branches: [main] } }
    jobs: { only: { steps: [ { run: "true" } ] } }
  quality:
    on: { pull_request: { branches: [main] } }
    jobs: { only: { steps: [ { run: "test $MARTLET_GIT_REF = refs/pull/2/merge" } ] } }
  chatops:
    on: { comment: { match: [/build] } }
    jobs: { only: { steps: [ { run: "echo built" } ] } }
  release:
    on: { tag: { match: ['v*'] } }
    jobs: { only: { steps: [ { run: 'test "${{ git.tag }}" = v1.0'  } ] } }
  retrain:
    on: { event: { type: acme.data.arrived, where: { data.table: churn } } }
    jobs: { only: { steps: [ { run: 'test "${{ event.data.rows }}" = 7'  } ] } }
"""


def post(suite, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", suite.ports["trigger"], timeout=30)
    connection.request("POST", path, body, {"Content-Type": "application/json"} | headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or "null")


def github(suite, event, payload, delivery, secret=SECRET):
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": f"sha256={signature}"}
    return post(suite, "/webhooks/github", body, headers)


def recorded(name):
    return json.loads((PAYLOADS / name).read_text())


def push(ref, after):
    return recorded("github/push.branch-with-files.json") | {"ref": ref, "after": after}


def watched(suite, events, repo, *words):
    """Looked at once a day: what starts is started by webhooks."""
    (suite.data / "secrets" / "WEBHOOK_GITHUB").write_text(SECRET)
    first = repo.push(martlet__yml=PROJECT)
    suite.command(
        "repo", "add", "small", str(repo.origin), "--poll", "86400",
        "--forge-url", "https://github.com/Codertocat/Hello-World", *words,
    )  # fmt: skip
    events.wait("run.finished", 60, pipeline="check")
    return first


def test_a_signed_push_starts_a_run_and_a_redelivery_does_not(suite, events, repo):
    watched(suite, events, repo)
    since, sha = events.mark(), repo.push("second", a__txt="1")
    assert github(suite, "push", push("refs/heads/main", sha), "d-1", secret="wrong")[0] == 401
    status, answer = github(suite, "push", push("refs/heads/main", sha), "d-1")
    assert (status, answer["repeated"]) == (202, False)
    change = events.wait("change.pushed", 30, since, sha=sha)
    assert change["data"]["paths"] == ["a.txt"] and change["data"]["delivery"] == "github/d-1"
    assert events.wait("run.finished", 60, since, pipeline="check")["data"]["outcome"] == "succeeded"
    assert github(suite, "push", push("refs/heads/main", sha), "d-1")[1]["repeated"] is True
    assert len(events.find("change.pushed", since)) == 1
    # By the id that the forge shows, whatever became of it.
    github(suite, "star", push("refs/heads/main", sha), "d-2")
    said = until(lambda: suite.command("why-not", "check", "--event", "d-2", check=False), 30, "a verdict")
    assert "start nothing" in said
    assert "quality" in suite.command("why-not", "quality", "--event", "d-1")


def test_a_delivery_that_was_answered_survives_a_kill(suite, events, repo):
    watched(suite, events, repo)
    sha = repo.push("second", a__txt="1")
    assert github(suite, "push", push("refs/heads/main", sha), "d-1")[0] == 202
    suite.command("down")
    suite.up()
    said = until(lambda: suite.ask("runs", "list")["items"], 30, "runs")
    until(lambda: [r for r in suite.ask("runs", "list")["items"] if r["sha"] == sha], 30, f"a run of {sha}: {said}")


@pytest.fixture
def gate(folder, suite):
    """git whose fetches wait as long as somebody holds the gate; before the suite starts."""

    class Gate:
        held, reached = folder / "held", folder / "reached"

        def hold(self):
            self.reached.unlink(missing_ok=True)
            self.held.touch()

        def open(self):
            self.held.unlink(missing_ok=True)

    tools = folder / "tools"
    tools.mkdir()
    script = f"""#!/bin/sh
case " $* " in *" fetch "*)
    if [ -e {Gate.held} ]; then : > {Gate.reached}; fi
    while [ -e {Gate.held} ]; do sleep 0.05; done ;;
esac
exec {shutil.which("git")} "$@"
"""
    (tools / "git").write_text(script)
    (tools / "git").chmod(0o755)
    suite.environment["PATH"] = f"{tools}:{suite.environment['PATH']}"
    yield Gate()
    Gate().open()


@pytest.mark.parametrize("at", ["answered", "looking", "told"])
def test_a_delivery_is_judged_once_whatever_is_killed(gate, suite, events, repo, at):
    watched(suite, events, repo)
    since, sha = events.mark(), repo.push("second", a__txt="1")
    if at != "told":
        gate.hold()
    assert github(suite, "push", push("refs/heads/main", sha), "d-1")[0] == 202
    # On disk, and nothing is said of it yet; or it is.
    if at == "looking":
        until(gate.reached.exists, 30, "git is asked")
    if at == "told":
        events.wait("change.pushed", 30, since, sha=sha)
    else:
        assert not events.find("change.pushed", since) and not events.find("trigger.ignored", since, cause="d-1")
    kill(suite, "trigger-service")
    gate.open()
    assert events.wait("run.finished", 90, since, pipeline="check")["data"]["outcome"] == "succeeded"

    # The next life looks at git by itself as well: whoever was first, the delivery has one verdict.
    def judged():
        told = [e for e in events.find("change.pushed", since) if e["data"].get("delivery") == "github/d-1"]
        return told + events.find("trigger.ignored", since, cause="d-1")

    until(judged, 60, "the delivery is judged")
    # Deliveries of one repository are judged in their order: after this one nothing more comes of the first.
    last = repo.push("third", a__txt="2")
    assert until(lambda: deliver(suite, last, "d-2"), 60, "the door answers") == 202
    assert deliver(suite, sha, "d-1") == 202
    events.wait("change.pushed", 60, since, sha=last)
    assert len(judged()) == 1
    assert len(events.find("change.pushed", since, sha=sha)) == 1
    matched = [e["data"]["cause"] for e in events.find("trigger.matched", since, pipeline="check")]
    assert len(matched) == len(set(matched))
    queued = [e["data"]["git"]["sha"] for e in events.find("run.queued", since, pipeline="check")]
    assert queued.count(sha) == 1


def deliver(suite, sha, delivery):
    """Its status; nothing while nobody is there."""
    try:
        return github(suite, "push", push("refs/heads/main", sha), delivery)[0]
    except OSError:
        return None


def test_pull_requests_comments_and_tags(suite, events, repo):
    watched(suite, events, repo)
    since = events.mark()
    repo.git("switch", "--quiet", "-c", "changes")
    (repo.clone / "b.txt").write_text("1")
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--message", "proposed")
    sha = repo.git("rev-parse", "HEAD")
    merge = repo.git("commit-tree", "HEAD^{tree}", "-p", "main", "-p", sha, "-m", "Merge")
    repo.git("push", "--quiet", "origin", "changes", f"{sha}:refs/pull/2/head", f"{merge}:refs/pull/2/merge")
    opened = recorded("github/pull_request.opened.json")
    opened["pull_request"]["head"] |= {"sha": sha, "ref": "changes"}
    opened["pull_request"]["base"]["ref"] = "main"
    assert github(suite, "pull_request", opened, "d-1")[0] == 202
    told = events.wait("change.pull_request_opened", 30, since)["data"]
    assert told["paths"] == ["b.txt"] and told["sha"] == merge and not told["pullRequest"]["fork"]
    assert events.wait("run.finished", 60, since, pipeline="quality")["data"]["outcome"] == "succeeded"
    comment = {
        "action": "created",
        "issue": {"number": 2, "pull_request": {}},
        "comment": {"body": "please /build", "user": {"login": "ada"}},
        "repository": opened["repository"],
    }
    assert github(suite, "issue_comment", comment, "d-2")[0] == 202
    assert events.wait("run.finished", 60, since, pipeline="chatops")["data"]["outcome"] == "succeeded"
    repo.git("tag", "--annotate", "--message", "one", "v1.0")
    repo.git("push", "--quiet", "origin", "v1.0")
    assert github(suite, "push", push("refs/tags/v1.0", repo.git("rev-parse", "v1.0")), "d-3")[0] == 202
    assert events.wait("run.finished", 60, since, pipeline="release")["data"]["outcome"] == "succeeded"


def test_events_over_http_start_what_listens_to_them(suite, events, repo):
    watched(suite, events, repo)
    since = events.mark()
    token = suite.ask("tokens", "create", "--role", "operator", "--name", "lake")["token"]
    event = {"specversion": "1.0", "id": "e-1", "source": "/acme", "type": "acme.data.arrived"}
    event["data"] = {"table": "churn", "rows": 7}
    headers = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {token}"}
    # The token comes over the bus.
    until(lambda: post(suite, "/events", json.dumps(event).encode(), headers)[0] == 202, 30, "the token counts")
    assert events.wait("run.finished", 60, since, pipeline="retrain")["data"]["outcome"] == "succeeded"
    basic = base64.b64encode(f"x:{token}".encode()).decode()
    binary = {"ce-specversion": "1.0", "ce-id": "e-2", "ce-source": "/acme", "ce-type": "acme.other"}
    assert post(suite, "/events", b"{}", binary | {"Authorization": f"Basic {basic}"})[0] == 202
    assert events.wait("run.queued", 30, since, cause="e-1")
    suite.command("tokens", "revoke", token.split("_")[1])
    until(lambda: post(suite, "/events", json.dumps(event).encode(), headers)[0] == 401, 30, "the token ends")
