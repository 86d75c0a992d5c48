"""The programs of Examples/integrations, run as they are, against a real suite."""

import json
import os
import re
import signal
import sqlite3
import sys

import pytest
from conftest import ROOT
from kit import KIT, commands, elsewhere, program  # noqa: F401
from processes import kill
from waiting import until

import mb1
from event_file import EventFile

GROUPS = "{ groups: { a: [1, 0, 1, 1], b: [1, 0, 1, 0], c: [0, 1, 1, 1] }, at_most: 0.3 }"


# MARK: the subscriber


def stored(path):
    """What the subscriber's file holds, in order."""
    if not path.exists():
        return []
    with sqlite3.connect(path) as db:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event'").fetchone()[0]
        return db.execute("SELECT source, seq, body FROM event ORDER BY source, epoch, seq").fetchall() if tables else []


def logged(suite, count):
    """The logs as their owners have them: `count` events."""
    words = ["events", "tail", "--since", "start", "--json", "--limit", str(count)]
    lines = [json.loads(line) for line in suite.command(*words).splitlines()]
    return sorted((line["source"], line["seq"], line["event"]) for line in lines)


def test_a_killed_subscriber_ends_with_exactly_the_log(suite, events, repo, folder, program):
    path = folder / "copy.sqlite"
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }', '{ run: "true" }')
    first = program("subscriber.py", path)
    events.wait("run.finished", 60)
    until(lambda: stored(path), 60, f"events in the file: {first.lines}")
    for number in range(4):
        since = events.mark()
        suite.command("run", "check", "--project", "small")
        if number == 2:
            kill(suite, "event-bus")
        events.wait("job.started", 60, since)
        first.kill()
        first = program("subscriber.py", path)
        events.wait("run.finished", 60, since)
    until(lambda: len(stored(path)) >= events.mark(), 60, "the subscriber has caught up")
    copied = [(source, seq, json.loads(body)) for source, seq, body in stored(path)]
    assert len({event["id"] for _, _, event in copied}) == len(copied)
    assert copied == logged(suite, len(copied))


def test_a_subscriber_stops_at_a_log_that_contradicts_what_it_read(suite, events, repo, folder, program):
    path = folder / "copy.sqlite"
    suite.command("repo", "add", "small", str(repo.origin))
    reading = program("subscriber.py", path, "--source", "trigger-service")
    reading.wait("repository.added")
    reading.kill()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE cursor SET chain = ?", ["f" * 32])
    count = len(stored(path))
    again = program("subscriber.py", path, "--source", "trigger-service")
    assert again.ended() == 1
    assert "trigger-service" in again.wait("stopped, nothing more is applied")
    assert len(stored(path)) == count


def cursors(path):
    with sqlite3.connect(path) as db:
        return {row[0]: row[1:] for row in db.execute("SELECT source, epoch, seq FROM cursor")}


def test_a_subscriber_follows_a_log_into_its_next_epoch(suite, events, repo, folder, program):
    path = folder / "copy.sqlite"
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    reading = program("subscriber.py", path)
    reading.wait("dev.martlet.run.finished.v1")
    before = cursors(path)["trigger-service"]
    suite.command("logs", "new-epoch", "trigger-service")
    until(suite.is_ready, 60, "all are ready")
    suite.command("run", "check", "--project", "small")
    until(lambda: cursors(path)["trigger-service"][0] > before[0], 60, f"the next epoch: {reading.lines}")
    until(lambda: len(reading.said("dev.martlet.run.finished.v1")) == 2, 60, f"the second run: {reading.lines}")
    assert reading.process.poll() is None


def test_a_subscriber_that_comes_too_late_goes_on_from_a_snapshot(suite, repo, folder, program):
    suite.environment |= {"MARTLET_LOG_DAYS": "0", "MARTLET_LOG_EVENTS": "10"}
    suite.up()
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    until(lambda: suite.ask("runs", "list")["items"], 60, "a run")
    bus = mb1.Bus(mb1.options("").parse_args(["--bus", f"ipc://{suite.data}/bus"]))
    beginning = {"epoch": 0, "after": 0, "limit": 1, "maxBytes": 1000}

    def is_cut():
        suite.command("run", "check", "--project", "small", "--wait", check=False)
        return bus.ask("fetch", "trigger-service", beginning).status == 410

    until(is_cut, 120, "the log's beginning is deleted")
    path = folder / "copy.sqlite"
    late = program("subscriber.py", path)
    until(lambda: "trigger-service" in (cursors(path) if path.exists() else {}), 60, f"a snapshot: {late.lines}")
    suite.command("run", "check", "--project", "small", "--wait")
    late.wait("dev.martlet.run.finished.v1")
    head = until(lambda: at_the_end(bus, path), 60, f"the subscriber is at the log's end: {late.lines}")
    assert late.process.poll() is None and head["first"] > 1
    numbers = [seq for source, seq, _ in stored(path) if source == "trigger-service" and seq >= head["first"]]
    assert numbers == list(range(head["first"], head["last"] + 1))


def at_the_end(bus, path):
    head = bus.ask("fetch", "trigger-service", {"epoch": 0, "after": 0, "limit": 0, "maxBytes": 0}).params
    return head if cursors(path)["trigger-service"] == (head["epoch"], head["last"]) else None


# MARK: the publisher


def test_an_event_that_is_published_twice_is_there_once(suite, events, program):
    words = ["com.acme.data.arrived", '{"rows": 7}', "--subject", "dataset/churn", "--id", "arrival-1"]
    said = set()
    for _ in range(2):
        one = program("publisher.py", *words)
        assert one.ended() == 0, one.lines
        said.add(one.lines[-1])
    assert len(said) == 1 and "arrival-1 is ingest:1" in said.pop()
    other = program("publisher.py", "com.acme.data.arrived", '{"rows": 8}', "--id", "arrival-1")
    assert other.ended() == 1
    assert "refused (409)" in other.lines[-1] and "another id" in other.lines[-1]
    last = program("publisher.py", "com.acme.data.arrived", "--id", "arrival-2")
    assert last.ended() == 0
    heard = events.wait("com.acme.data.arrived", 60)
    assert heard["data"] == {"rows": 7} and heard["subject"] == "dataset/churn" and heard["source"] == "/acme/example"
    until(lambda: len(events.find("com.acme.data.arrived")) == 2, 60, "the second event")


def test_a_publisher_waits_for_a_service_that_is_gone(suite, program):
    waiting = program("publisher.py", "com.acme.early", "--id", "early", "--patience", "90")
    waiting.wait("trying again")
    suite.up()
    assert waiting.ended(90) == 0, waiting.lines
    assert "early is ingest:1" in waiting.lines[-1]


def test_a_publisher_says_how_to_go_on_when_nobody_answers(suite, program):
    alone = program("publisher.py", "com.acme.early", "--id", "early", "--patience", "1")
    assert alone.ended() == 1
    assert "run it again with --id early" in alone.lines[-1]


# MARK: the step worker


@pytest.fixture
def fairness(suite, events, repo):
    """A run that waits for somebody who answers `acme/fairness-check`."""
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps(f"{{ id: fair, uses: acme/fairness-check, with: {GROUPS} }}")
    return events.wait("run.queued", 60)["data"]["run"]


def test_a_worker_of_somebody_else_completes_a_step(suite, events, fairness, program):
    worker = program("step_worker.py")
    ended = events.wait("step.finished", 60, verb="acme/fairness-check")["data"]
    assert ended["outcome"] == "succeeded" and ended["outputs"]["gap"] == pytest.approx(0.25)
    assert "differ by 0.250" in ended["message"]
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"
    assert events.find("step.started", verb="acme/fairness-check")[0]["data"]["worker"] == "fairness-1"
    worker.wait("complete", "accepted")


def test_a_step_that_a_worker_cannot_understand_fails_with_its_reason(suite, events, repo, program):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps("{ uses: acme/fairness-check, with: { at_most: 0.1 } }")
    program("step_worker.py")
    ended = events.wait("run.finished", 60)["data"]
    assert ended["outcome"] == "failed" and "needs groups" in ended["message"]


def test_the_next_worker_goes_on_from_the_checkpoint(suite, events, fairness, program):
    killed = program("step_worker.py", "--worker", "first", "--pause", "60")
    killed.wait("checkpoint", "accepted")
    killed.kill()
    program("step_worker.py", "--worker", "second").wait("took", "done already: ['a']")
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"
    ended = events.find("step.finished", verb="acme/fairness-check")
    assert len(ended) == 1 and sorted(ended[0]["data"]["outputs"]["rates"]) == ["a", "b", "c"]


def test_a_worker_that_comes_back_goes_on_at_once(suite, events, fairness, program):
    killed = program("step_worker.py", "--pause", "60")
    killed.wait("checkpoint", "accepted")
    killed.kill()
    program("step_worker.py").wait("took", "done already: ['a']")
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"


def test_a_worker_that_was_given_up_is_not_listened_to(suite, events, fairness, program):
    slow = program("step_worker.py", "--worker", "slow", "--pause", "1")
    slow.wait("checkpoint", "accepted")
    os.kill(slow.process.pid, signal.SIGSTOP)
    program("step_worker.py", "--worker", "quick").wait("complete", "accepted")
    os.kill(slow.process.pid, signal.SIGCONT)
    slow.wait("lost", "to somebody else")
    assert len(events.find("step.finished", verb="acme/fairness-check")) == 1
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"


def test_a_worker_survives_a_restart_of_the_bus_and_of_the_grantor(suite, events, fairness, program):
    worker = program("step_worker.py", "--pause", "0.5")
    worker.wait("checkpoint", "accepted")
    kill(suite, "event-bus")
    kill(suite, "trigger-service")
    assert events.wait("run.finished", 90)["data"]["outcome"] == "succeeded"
    assert len(events.find("step.finished", verb="acme/fairness-check")) == 1


def test_a_canceled_step_is_stopped(suite, events, fairness, program):
    worker = program("step_worker.py", "--pause", "2")
    worker.wait("checkpoint", "accepted")
    suite.command("runs", "cancel", fairness)
    ended = events.wait("run.finished", 60)["data"]
    assert ended["outcome"] == "canceled"


# MARK: with keys


def test_with_keys_all_three_work_from_elsewhere(elsewhere, suite, repo, folder, program):
    (command,) = [words for words in commands("From elsewhere") if words[0] == "python"]
    assert [words for words in command if words.startswith("--")] == elsewhere[::2]
    path = folder / "copy.sqlite"
    reading, working = program("subscriber.py", path, *elsewhere), program("step_worker.py", *elsewhere)
    publishing = program("publisher.py", "com.acme.data.arrived", "--id", "arrival-1", *elsewhere)
    assert publishing.ended(90) == 0, publishing.lines
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps(f"{{ id: fair, uses: acme/fairness-check, with: {GROUPS} }}")
    reading.wait("dev.martlet.run.finished.v1", seconds=90)
    working.wait("complete", "accepted")
    events = [json.loads(body) for _, _, body in stored(path)]
    (arrived,) = [event for event in events if event["type"] == "com.acme.data.arrived"]
    # Who says it is the key's word.
    assert arrived["actor"] == "service:acme"
    (ended,) = [event for event in events if event["type"] == "dev.martlet.run.finished.v1"]
    assert ended["data"]["outcome"] == "succeeded"


def test_a_key_that_was_revoked_opens_nothing(elsewhere, suite, program):
    assert program("publisher.py", "com.acme.said", "--id", "1", *elsewhere).ended(90) == 0
    suite.command("keys", "revoke", "acme")
    until(lambda: program("publisher.py", "com.acme.said", "--patience", "2", *elsewhere).ended() == 1, 60, "a refusal")


# MARK: what the kit promises of itself


def test_the_commands_of_the_readme_work(suite, events, fairness, folder, program):
    running = {}
    for command in commands("On the machine where Martlet runs"):
        assert command[0] == "python"
        words = [str(folder / word) if word.endswith(".sqlite") else word for word in command[2:]]
        running[command[1]] = program(command[1], *words)
    assert sorted(running) == ["publisher.py", "step_worker.py", "subscriber.py"]
    assert running["publisher.py"].ended() == 0
    running["subscriber.py"].wait("com.acme.data.arrived")
    running["step_worker.py"].wait("complete", "accepted")
    running["subscriber.py"].wait("dev.martlet.run.finished.v1")


def test_the_chain_is_the_one_of_the_protocol():
    """The test vectors of docs/protocol.md; Tests/EventLogTests computes them in Swift."""
    page = (ROOT / "docs" / "protocol.md").read_text()
    values = dict(re.findall(r"^\| (c\d) \|.*\| `([0-9a-f]{32})` \|$", page, re.MULTILINE))
    head = "e/registry-service/dev.martlet.model"
    chain = mb1.chain_start("registry-service", 1700000000000)
    assert chain == values["c0"]
    chain = mb1.chain_next(chain, f"{head}.registered.v1".encode(), b'{"specversion":"1.0","id":"1"}')
    assert chain == values["c1"]
    chain = mb1.chain_next(chain, f"{head}.tagged.v1".encode(), '{"note":"größer"}'.encode())
    assert chain == values["c2"]
    parent = {"epoch": 1700000000000, "seq": 2, "chain": chain}
    assert mb1.chain_start("registry-service", 1700000000001, parent) == values["c3"]


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b"t/acme/x", b"{}"],
        [b"e/a/t", b"MB1 E 1700000000000 1", b"{}"],
        [b"e/a/t", b"MB9 E 1700000000000 1 " + b"0" * 32, b"{}"],
        [b"e/a/t", b"MB1 E \xff\xff 1 " + b"0" * 32, b"{}"],
        [b"e/a/t", b"MB1 E  1 " + b"0" * 32, b"{}"],
        [b"e/a/t", b"MB1 E 1700000000000 -1 " + b"0" * 32, b"{}"],
        [b"e/a/t", b"MB1 E 1700000000000 1 " + b"0" * 32 + b"\n", b"{}"],
        [b"e/\xff/t", b"MB1 E 1700000000000 1 " + b"0" * 32, b"{}"],
        [b"nothing", b"MB1 E 1700000000000 1 " + b"0" * 32, b"{}"],
    ],
)
def test_what_is_no_live_message_is_none(frames):
    assert mb1.parse(frames) is None


def live(topic, event):
    body = event if isinstance(event, bytes) else json.dumps({"subject": "s", **event}).encode()
    return mb1.parse([topic.encode(), b"MB1 E 1700000000000 1 " + b"0" * 32, body])


MODEL = "dev.martlet.model.registered.v1"


@pytest.mark.parametrize(
    "topic, event, believed",
    [
        (f"e/registry-service/{MODEL}", {"type": MODEL, "source": "/martlet/registry-service"}, True),
        ("e/ingest/com.acme.x", {"type": "com.acme.x", "source": "/acme/lake"}, True),
        ("e/acme/com.acme.x", {"type": "com.acme.x", "source": "/acme/lake"}, True),
        ("e/ingest/dev.martlet.x", {"type": "dev.martlet.x", "source": "/martlet/event-bus"}, True),
        ("e/acme/com.acme.x", {"type": MODEL, "source": "/martlet/registry-service"}, False),
        ("e/acme/com.acme.x", {"type": "com.acme.x", "source": "/martlet/registry-service"}, False),
        ("e/acme/com.acme.x", {"type": "com.acme.x", "source": "/Martlet/registry-service"}, False),
        ("e/acme/com.acme.x", {"type": MODEL, "source": "/acme/lake"}, False),
        ("e/acme/com.acme.x", {"type": "com.acme.x"}, False),
        ("e/acme/com.acme.x", {"type": "com.acme.x", "source": 7}, False),
        ("e/acme/com.acme.x", b"{", False),
    ],
)
def test_a_body_is_believed_only_where_it_says_what_its_topic_says(topic, event, believed):
    assert mb1.genuine(live(topic, event)) is believed


def test_the_file_leaves_out_what_is_not_believed_and_goes_on_behind_it(tmp_path):
    path = tmp_path / "copy.sqlite"
    messages = [
        live("e/acme/com.acme.x", {"type": MODEL, "source": "/martlet/registry-service"}),
        live("e/acme/com.acme.x", {"type": "com.acme.x", "source": "/acme"})._replace(seq=2),
    ]
    file = EventFile(path)
    file.apply("acme", messages)
    assert [seq for _, seq, _ in stored(path)] == [2]
    assert file.cursors["acme"][:2] == (1700000000000, 2)


@pytest.mark.parametrize("path", sorted(KIT.glob("*.py")), ids=lambda path: path.name)
def test_a_program_is_short_and_needs_only_pyzmq(path):
    lines = path.read_text().splitlines()
    assert len(lines) < 120
    ours = {other.stem for other in KIT.glob("*.py")}
    known = sys.stdlib_module_names | ours | {"zmq"}
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= known, imported - known
