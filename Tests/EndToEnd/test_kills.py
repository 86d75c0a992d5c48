"""`kill -9` of each service at each stage of the loop: the run ends as it would have ended."""

import json
import time

import pytest
from processes import kill
from suite import Failed
from waiting import until

SERVICES = [
    "trigger-service",
    "trainer-proxy",
    "evaluator",
    "registry-service",
    "deployer",
    "notifier",
    "event-bus",
    "console",
]

# The event after which the service dies, in the order of the loop.
STAGES = [
    ("change.pushed", {}),
    ("training.started", {}),
    ("training.finished", {}),
    ("evaluation.decided", {}),
    ("model.registered", {}),
    ("run.finished", {"pipeline": "train"}),
    ("approval.requested", {}),
    ("approval.finished", {}),
    ("model.stage_changed", {"to": "production"}),
    ("deployment.started", {}),
    ("deployment.finished", {}),
    ("smoke_test.finished", {}),
    ("run.finished", {"pipeline": "deploy"}),
]


# In two halves: a service that dies more than ten times within seconds is not started again, and rightly so.
HALVES = [STAGES[:7], STAGES[7:]]


@pytest.mark.parametrize("stages", HALVES, ids=["training", "serving"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_changes_nothing(service, stages, suite, events, repo, slack):
    (suite.data / "secrets" / "SLACK_HOOK").write_text(slack.url)
    approver = suite.ask("tokens", "create", "--role", "approver", "--name", "grace")["token"]
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    for number, (name, wanted) in enumerate(stages, start=1):
        Loop(suite, events, approver, number).go(repo, kill=service, at=(name, wanted))
    told_once(suite, events, slack, runs=2 * len(stages), cut_off=service == "notifier")


class Loop:
    """One push, followed to the served model; the version it makes has the number of the push."""

    def __init__(self, suite, events, approver, number):
        self.suite, self.events, self.approver, self.number = suite, events, approver, number
        self.since = events.mark()

    def go(self, repo, kill, at):
        self.at, self.kill, self.is_dead = at, kill, False
        # Who was killed in the last round may still be on the way back.
        until(self.suite.is_ready, 60, "everything is ready")
        sha = repo.push_model(self.number, seconds=0.3)
        self.wait("change.pushed", sha=sha)
        for name in ["training.started", "training.finished", "evaluation.decided", "model.registered"]:
            self.wait(name)
        trained = self.wait("run.finished", pipeline="train")
        asked = self.wait("approval.requested")
        self.approve(asked["data"]["approval"])
        self.wait("approval.finished")
        self.wait("model.stage_changed", to="production")
        for name in ["deployment.started", "deployment.finished", "smoke_test.finished"]:
            self.wait(name)
        deployed = self.wait("run.finished", pipeline="deploy")
        assert self.is_dead, f"{at} was waited for"
        for ended in (trained["data"], deployed["data"]):
            assert ended["outcome"] == "succeeded", f"{kill} killed at {at}: {ended}"
        self.happened_once()

    def wait(self, name, **wanted):
        event = self.events.wait(name, 60, self.since, **wanted)
        due = name == self.at[0] and all(event["data"].get(key) == value for key, value in self.at[1].items())
        if due and not self.is_dead:
            kill(self.suite, self.kill)
            self.is_dead = True
        return event

    def approve(self, approval):
        """As a person would: again, when the console was not there."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.suite.command("approve", approval, token=self.approver)
            except Failed as failure:
                if self.events.find("approval.finished", self.since) or "no longer waiting" in str(failure):
                    return None
                assert time.monotonic() < deadline, failure
                time.sleep(0.2)

    def happened_once(self):
        for name, wanted in [
            ("run.queued", {"pipeline": "train"}),
            ("run.queued", {"pipeline": "deploy"}),
            ("training.finished", {}),
            ("evaluation.decided", {}),
            ("model.registered", {"version": self.number}),
            ("model.registered", {}),
            ("model.stage_changed", {}),
            ("deployment.started", {}),
            ("deployment.finished", {"version": self.number, "outcome": "succeeded"}),
            ("smoke_test.finished", {"outcome": "succeeded"}),
            ("run.finished", {"outcome": "succeeded", "pipeline": "train"}),
            ("run.finished", {"outcome": "succeeded", "pipeline": "deploy"}),
        ]:
            found = self.events.find(name, self.since, **wanted)
            assert len(found) == 1, f"{self.kill} killed at {self.at}: {len(found)} times {name} {wanted}"


def told_once(suite, events, slack, runs, cut_off):
    """One line and one message for each run; the one that was cut off in the middle is listed as failed instead."""
    path = suite.data / "notifications" / "fast.jsonl"

    def settled():
        return len(events.find("notification.sent")) + len(events.find("notification.failed")) == 2 * runs

    until(settled, 60, f"{2 * runs} messages were sent or given up")
    told = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert len(told) == len(set(told)) == runs
    failed = events.find("notification.failed")
    assert len(slack.texts) == len(set(slack.texts))
    if cut_off:
        assert all("may have arrived" in event["data"]["reason"] for event in failed)
        assert runs - len(failed) <= len(slack.texts) <= runs
    else:
        assert not failed and len(slack.texts) == runs
