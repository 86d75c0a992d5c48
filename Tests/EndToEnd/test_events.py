"""The stream of events, as an operator sees it."""

import json
import subprocess
from collections import defaultdict

from waiting import until


def test_a_tail_is_in_order_and_without_a_gap(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }', '{ run: "true" }')
    events.wait("run.finished", 60)
    count = events.mark()
    lines = tail(suite, count)
    numbers = defaultdict(list)
    for line in lines:
        numbers[line["source"], line["epoch"]].append(line["seq"])
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert len({line["event"]["id"] for line in lines}) == len(lines)


def test_every_event_names_its_cause(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    seen = {event["id"]: event for event in events.find_all()}
    for event in seen.values():
        cause = event.get("causationid")
        assert cause is None or cause in seen, f"{event['name']} names {cause}, which nobody said"
        assert event["correlationid"] in seen


def test_why_not_gives_the_stored_reason(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    repo.git("push", "--quiet", "origin", "main:refs/heads/side")
    event = events.wait("change.pushed", 30, branch="side")
    events.wait("trigger.ignored", 30, cause=event["id"])
    # The console hears of it a moment after we do.
    said = until(lambda: suite.command("why-not", "check", "--event", event["id"], check=False), 30, "a verdict")
    assert "branch" in said and "side" in said


def tail(suite, count):
    process = subprocess.Popen(
        [suite.martlet, "events", "tail", "--since", "start", "--json"],
        env=suite.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        return [json.loads(process.stdout.readline()) for _ in range(count)]
    finally:
        process.kill()
