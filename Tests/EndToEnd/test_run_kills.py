"""`kill -9` of the trigger-service in the states of a run that are not those of the plain loop: nothing is lost, nothing
happens twice."""

import json
import time

import pytest
from processes import kill
from suite import Failed
from waiting import until

PROJECT = """\
martlet: 1
project: fast
environments:
  prod: { approvals: { required: 2 } }
  off: { enabled: false }
pipelines:
  release:
    on: { manual: {} }
    parameters: { wait: { type: boolean, default: true } }
    jobs:
      a:
        steps:
          - { run: "true" }
          - { id: start, uses: pipeline/start, with: { pipeline: image, wait: "${{ params.wait }}", parameters: { tag: "v1" } } }
          - { run: "test ${{ steps.start.outputs.build.tag }} = v1-built" }
  image:
    on: { manual: {} }
    parameters: { tag: { type: string, required: true } }
    jobs:
      build:
        steps:
          - id: s
            run: |
              sleep 1
              printf '{"tag": "%s-built"}' ${{ params.tag }} > $MARTLET_OUTPUT/outputs.json
        outputs: { tag: "${{ steps.s.tag }}" }
  gate:
    on: { manual: {} }
    jobs:
      skipped: { environment: "off", steps: [ { run: "false" } ] }
      deploy: { needs: skipped, environment: prod, steps: [ { run: "sleep 600" } ] }
      undo: { needs: deploy, if: "${{ rejected() }}", steps: [ { run: "echo ${{ needs.deploy.approval.result }}" } ] }
  line:
    on: { manual: {} }
    concurrency: line
    jobs: { only: { steps: [ { run: "sleep 0.3" } ] } }
  broken:
    on: { manual: {} }
    jobs:
      made: { steps: [ { id: s, run: "date +%s%N" } ], outputs: { when: "once" } }
      fails: { needs: made, steps: [ { run: "test -e $HOME/mended" } ] }
"""


@pytest.fixture
def told(suite, events, repo):
    """A suite that knows the project."""
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push(martlet__yml=PROJECT)
    events.wait("project.loaded", 60)
    until(lambda: suite.ask("repo", "list")["items"], 30, "the console knows the repository")
    return suite


def start(suite, pipeline, *words):
    """As a person would: again, when the console does not know the pipeline yet."""
    return until(lambda: json.loads(suite.command("run", pipeline, "--project", "fast", "--json", *words, check=False) or "{}").get("run"), 60, f"{pipeline} starts")


def insist(act, over):
    """As a person would: again, when nobody was there, until it is done."""
    deadline = time.monotonic() + 40
    while True:
        try:
            return act()
        except Failed as failure:
            if over():
                return None
            assert time.monotonic() < deadline, failure
            time.sleep(0.2)


@pytest.mark.parametrize(
    "at",
    [
        ("step.started", {"verb": "pipeline/start"}),
        ("run.queued", {"pipeline": "image"}),
        ("step.started", {"job": "build"}),
        ("run.finished", {"pipeline": "image"}),
        ("step.finished", {"verb": "pipeline/start"}),
    ],
    ids=lambda at: at[0] + "-" + next(iter(at[1].values())).replace("/", "-"),
)
def test_a_started_pipeline_is_started_once(told, events, at):
    since = events.mark()
    run = start(told, "release")
    events.wait(at[0], 60, since, **at[1])
    kill(told, "trigger-service")
    ended = events.wait("run.finished", 90, since, run=run)
    assert ended["data"]["outcome"] == "succeeded", ended["data"]
    for name, wanted in [
        ("run.queued", {"pipeline": "image"}),
        ("run.finished", {"pipeline": "image"}),
        ("step.finished", {"verb": "pipeline/start"}),
        ("step.started", {"verb": "pipeline/start"}),
    ]:
        assert len(events.find(name, since, **wanted)) == 1, name


@pytest.mark.parametrize("at", ["approval.requested", "approval.given", "approval.finished", "approval.revoked", "step.cancel_requested"])
def test_an_approval_and_its_revocation_survive(told, events, at):
    people = [told.ask("tokens", "create", "--role", "approver", "--name", name)["token"] for name in ("grace", "kim")]
    since = events.mark()
    run = start(told, "gate")

    def wait(name, **wanted):
        event = events.wait(name, 60, since, **wanted)
        if name == at:
            kill(told, "trigger-service")
        return event

    asked = wait("approval.requested", run=run)["data"]
    for number, token in enumerate(people, start=1):
        insist(
            lambda: told.command("approve", asked["approval"], token=token),
            lambda: events.find("approval.given", since, given=number),
        )
        wait("approval.given", given=number)
        if at == "approval.given" and number == 1:
            at = None
    wait("approval.finished", result="granted")
    events.wait("step.started", 60, since, job="deploy")
    insist(
        lambda: told.command("revoke", asked["approval"], "--comment", "leak", token=people[0]),
        lambda: events.find("approval.revoked", since),
    )
    wait("approval.revoked", tooLate=False)
    wait("step.cancel_requested")
    ended = events.wait("run.finished", 90, since, run=run)["data"]
    assert ended["outcome"] == "canceled" and "revoked by user:grace: leak" in ended["message"], ended
    jobs = {e["data"]["job"]: e["data"]["outcome"] for e in events.find("job.finished", since, run=run)}
    assert jobs == {"skipped": "skipped", "deploy": "canceled", "undo": "succeeded"}
    for name, count in [("approval.requested", 1), ("approval.given", 2), ("approval.finished", 1), ("approval.revoked", 1)]:
        assert len(events.find(name, since)) == count, name
    assert told.ask("approvals", "show", asked["approval"])["state"] == "revoked"


def test_a_line_keeps_its_order_and_its_turn(told, events):
    since = events.mark()
    runs = [start(told, "line") for _ in range(5)]
    for _ in range(3):
        done = len(events.find("run.finished", since))
        if done == len(runs):
            break
        events.wait("step.started", 60, since)
        kill(told, "trigger-service")
        until(lambda: len(events.find("run.finished", since)) > done, 60, "another run is over")
    for run in runs:
        assert events.wait("run.finished", 90, since, run=run)["data"]["outcome"] == "succeeded"
    order = [e["data"]["run"] for e in events.find_all()[since:] if e["name"] in ("run.started", "run.finished")]
    assert order == [run for run in runs for _ in range(2)], "each begins after the one before has ended"


def test_a_cancel_is_confirmed_after_a_kill(told, events):
    since = events.mark()
    run = start(told, "gate")
    asked = events.wait("approval.requested", 60, since)["data"]["approval"]
    for name in ("grace", "kim"):
        token = told.ask("tokens", "create", "--role", "approver", "--name", name)["token"]
        told.command("approve", asked, token=token)
    events.wait("step.started", 60, since, job="deploy")
    told.command("runs", "cancel", run)
    events.wait("run.cancel_begun", 60, since)
    kill(told, "trigger-service")
    ended = events.wait("run.finished", 90, since, run=run)["data"]
    assert ended["outcome"] == "canceled"
    assert events.find("step.finished", since, job="deploy")[-1]["data"]["outcome"] == "canceled"
    assert len(events.find("run.cancel_begun", since)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_retry_keeps_what_succeeded(told, events, when):
    since = events.mark()
    run = start(told, "broken")
    assert events.wait("run.finished", 60, since, run=run)["data"]["outcome"] == "failed"
    mark = events.mark()
    if when == "before":
        kill(told, "trigger-service")
    insist(lambda: told.command("runs", "retry", run), lambda: events.find("run.queued", mark))
    events.wait("run.queued", 60, mark, run=run, attempt=2)
    if when == "after":
        kill(told, "trigger-service")
    assert events.wait("run.finished", 90, mark, run=run)["data"]["outcome"] == "failed"
    assert [e["data"]["job"] for e in events.find("job.started", mark)] == ["fails"]
    assert len(events.find("run.queued", mark)) == 1
    shown = until(lambda: (lambda s: s["outcome"] and s)(told.ask("runs", "show", run)), 30, "the console has heard")
    assert [a["outcome"] for a in shown["attempts"]] == ["failed", "failed"], shown["attempts"]
    text = told.command("runs", "show", run)
    assert "attempt 1 failed at fails/step-1" in text and "attempt 2 failed" in text, text
