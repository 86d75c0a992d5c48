"""The whole suite over CURVE: outsiders do what their key may, and nothing else gets through."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest
import zmq
from outsider import Outsider, dropped, heard
from processes import kill, pid
from suite import Suite
from waiting import until

HEADER = b"MB1 E 1700000000000 1 " + b"a" * 32


class Keyed(Suite):
    """A suite over tcp, on one bus or on two."""

    buses = 1

    def up_words(self):
        return [*super().up_words(), *["--bus", "tcp://127.0.0.1:0"] * self.buses]

    @property
    def keys(self):
        return self.data / "keys"

    @property
    def addresses(self):
        return json.loads((self.data / "up.json").read_text())["bus"]

    def let_in(self, name, *rights):
        self.command("keys", "generate", name)
        self.command("keys", "authorize", name, *rights)

    def outsider(self, name, bus=0):
        one = Outsider(self.addresses[bus], self.keys, name)
        self.outsiders.append(one)
        return one


@pytest.fixture
def suite(binaries, folder, request):
    one = Keyed(binaries, folder / "data")
    one.buses = getattr(request, "param", 1)
    one.outsiders = []
    (one.data / "secrets").mkdir(parents=True, mode=0o700)
    yield one
    for outsider in one.outsiders:
        outsider.close()
    one.down("--all")


def processes(suite):
    """Those that belong to this data folder."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes()
            if str(suite.data).encode() in arguments:
                yield arguments, (folder / "environ").read_bytes()
        except OSError:
            continue


def test_a_run_goes_through_and_no_secret_is_seen(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    assert events.wait("run.finished", 90)["data"]["outcome"] == "succeeded"
    secrets = [path.read_text().split("secret-key")[1].split('"')[1] for path in suite.keys.glob("*.key")]
    assert len(secrets) >= 9
    logs = "".join(path.read_text(errors="replace") for path in suite.data.glob("services/*/log"))
    running = list(processes(suite))
    assert len(running) >= 9
    for secret in secrets:
        assert secret not in logs
        for arguments, environment in running:
            assert secret.encode() not in arguments and secret.encode() not in environment
    for path in [*suite.keys.glob("*.key"), suite.keys / "authorized_keys"]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_an_outsider_publishes_and_hears_within_its_rights(suite, events):
    suite.let_in("acme", "--integrator")
    acme = suite.outsider("acme")
    feed = acme.subscriber(b"e/ingest/")
    until(lambda: acme.publish("org.acme.load", {"user": "me"}) and heard(feed, 0.2), 60, "it is let in and hears")
    status, answer = acme.publish("org.acme.load", {"n": 1}, event_id="one")
    assert status == 200 and answer["source"] == "ingest"
    assert acme.publish("org.acme.load", {"n": 1}, event_id="one") == (200, answer)
    messages = until(lambda: heard(feed, 1), 30, "the feed brings it")
    topic, header, body = messages[-1]
    assert json.loads(body)["data"] == {"n": 1}
    assert topic == b"e/ingest/org.acme.load" and header.startswith(b"MB1 E ")
    assert json.loads(body)["actor"] == "service:acme"
    # Of our own services' types and names it may use none, nor what it has no right to.
    assert acme.publish("dev.martlet.model.stage_changed.v1", {})[0] == 400
    assert acme.ask("session.open", "trigger-service", {"worker": "trainer-proxy", "verbs": ["train/*"]})[0] == 403
    assert acme.ask("hello", "bus", {"source": "registry-service"})[0] == 403
    denied = events.wait("bus.client_denied", 60, client="acme")
    assert denied["source"] == "/martlet/event-bus" and denied["data"]["reasons"]


GATED = """\
martlet: 1
project: small
environments: { prod: { approvals: { required: 1, from: [key:scanner] } } }
pipelines:
  ship:
    on: { push: { branches: [main] } }
    jobs:
      made: { steps: [ { run: "true" } ], outputs: { version: "7" } }
      ship: { needs: made, environment: prod, steps: [ { run: "true" } ] }
"""


def test_a_key_that_the_file_names_approves_by_an_event_and_no_other_does(suite, events, repo, folder):
    for name in ("scanner", "acme"):
        suite.let_in(name, "--integrator")
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push(martlet__yml=GATED)
    asked = events.wait("approval.requested", 90)["data"]
    answer = {"approval": asked["approval"], "approve": True, "version": "7"}

    def say(name, data, event_id):
        client = suite.outsider(name)
        until(lambda: client.publish("approval.answered.v1", data, event_id=event_id) is not None, 60, "it is taken")
        return events.wait("trigger.command_answered", 60, command=event_id)["data"]

    assert "not among" in say("acme", answer, "by-acme")["reason"]
    assert "version" in say("scanner", answer | {"version": "6"}, "another")["reason"]
    # A person who may publish speaks in the person's own name, whatever the event says.
    event = {"specversion": "1.0", "id": "person", "source": "/x", "type": "approval.answered.v1", "data": answer}
    (folder / "event.json").write_text(json.dumps(event))
    suite.command("events", "publish", str(folder / "event.json"))
    assert not events.wait("trigger.command_answered", 60, command="person")["data"]["accepted"]
    assert not events.find("approval.given")
    assert say("scanner", answer, "right")["accepted"]
    ended = events.wait("approval.finished", 60)["data"]
    assert ended["result"] == "granted" and ended["by"] == "key:scanner"
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"


def test_forged_strange_and_revoked_get_nothing_through(suite, events):
    suite.let_in("ear", "--operator")
    suite.let_in("witness", "--pub", "t/witness/*")
    suite.let_in("acme", "--pub", "e/acme/*,t/acme/*", "--sub", "feed", "--req", "fetch")
    suite.command("keys", "generate", "mallory")
    good = [b"t/acme/good", b"{}"]
    forged = [
        [b"e/registry-service/dev.martlet.model.stage_changed.v1", HEADER, b"{}"],
        [b"e/acme/dev.martlet.model.stage_changed.v1", HEADER, b"{}"],
        [b"h/registry-service", HEADER.replace(b" E ", b" H "), b""],
        [b"t/other/x", b"{}"],
        [b"e/acme/x", b"no header", b"{}"],
    ]
    ear = suite.outsider("ear").subscriber(b"e/acme/", b"e/registry-service/", b"t/")
    acme = suite.outsider("acme")
    mouth = acme.dial(zmq.PUB, acme.events)
    secretly = acme.subscriber(b"")
    mallory = suite.outsider("mallory")
    stranger, eavesdropper = mallory.dial(zmq.PUB, mallory.events), mallory.subscriber(b"")
    seen = []

    def talk():
        for message in [*forged, good]:
            mouth.send_multipart(message)
            stranger.send_multipart(message)
        seen.extend(heard(ear, 0.05))
        return good[0] in [message[0] for message in seen]

    until(talk, 60, "what is allowed comes through")
    until(lambda: secretly.poll(100), 30, "acme hears")
    for _ in range(20):
        talk()
    assert {message[0] for message in seen} == {good[0]}
    assert not eavesdropper.poll(500) and mallory.ask("fetch", "deployer", seconds=1) is None
    events.wait("bus.client_denied", 60, client="acme")
    events.wait("bus.client_denied", 60, client="unknown")
    # Revoked: once the bus judges by the newer file, nothing that is said then gets through or is heard.
    witness = suite.outsider("witness")
    witnessed = witness.dial(zmq.PUB, witness.events)
    assert not dropped(suite.data, reason="unknown_key")
    suite.command("keys", "revoke", "acme")
    until(lambda: talk() and dropped(suite.data, reason="unknown_key"), 30, "the bus knows its key no more")
    after = []

    def go_on():
        mouth.send_multipart([b"t/acme/after", b"{}"])
        witnessed.send_multipart([b"t/witness/after", b"{}"])
        after.extend(message[0] for message in heard(ear, 0.05))
        return after.count(b"t/witness/after") > 20

    until(go_on, 60, "others are heard as before")
    assert b"t/acme/after" not in after
    # What it had not taken yet was said before.
    assert b"t/witness/after" not in [message[0] for message in heard(secretly, 0.2)]
    assert (acme.ask("fetch", "deployer", seconds=1) or (401,))[0] == 401
    # The suite itself went on.
    assert suite.is_ready()


@pytest.mark.parametrize("suite", [2], indirect=True)
def test_either_of_two_buses_may_be_killed_under_load(suite, events, repo):
    suite.let_in("acme", "--integrator")
    assert len(suite.addresses) == 2
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    ways = [suite.outsider("acme", bus) for bus in (0, 1)]
    acknowledged, stop = set(), threading.Event()

    def load():
        number = 0
        while not stop.is_set():
            number += 1
            way = number
            while not stop.is_set():
                answer = ways[way % 2].publish("org.acme.load", {"n": number}, event_id=f"n{number}", seconds=2)
                if answer and answer[0] == 200:
                    acknowledged.add(number)
                    break
                way += 1

    loading = threading.Thread(target=load)
    loading.start()
    try:
        for name in ("event-bus", "event-bus-2"):
            before = len(acknowledged)
            until(lambda: len(acknowledged) > before + 20, 90, "events are acknowledged")
            mark = events.mark()
            kill(suite, name)
            repo.push_steps('{ run: "true" }')
            assert events.wait("run.finished", 120, since=mark)["data"]["outcome"] == "succeeded"
            until(lambda: suite.is_ready(), 90, "the killed bus is back")
    finally:
        stop.set()
        loading.join(30)
    assert acknowledged
    until(lambda: numbers(events) >= acknowledged, 60, "every acknowledged event is in the log")
    found = [event["id"] for event in events.find_all()]
    assert len(found) == len(set(found)), "no event comes twice"


@pytest.mark.parametrize("suite", [2], indirect=True)
def test_either_of_two_buses_may_hang(suite, events, repo):
    """It keeps its connections and answers nothing: nobody waits for it."""
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }', '{ run: "true" }')
    events.wait("run.finished", 60)
    for name in ("event-bus", "event-bus-2"):
        mark, hanging = events.mark(), pid(suite, name)
        os.kill(hanging, signal.SIGSTOP)
        try:
            repo.push_steps('{ run: "true" }', f'{{ run: "echo {name}" }}')
            assert events.wait("run.finished", 120, since=mark)["data"]["outcome"] == "succeeded"
            run = suite.ask("run", "check", "--project", "small")["run"]
            assert events.wait("run.finished", 120, run=run)["data"]["outcome"] == "succeeded"
        finally:
            os.kill(hanging, signal.SIGCONT)
        until(suite.is_ready, 90, "all are ready again")
    found = [event["id"] for event in events.find_all()]
    assert len(found) == len(set(found)), "no event comes twice"


def numbers(events):
    return {event["data"]["n"] for event in events.find_all() if event["type"] == "org.acme.load"}


def test_what_is_wrong_with_keys_is_told_with_the_way_out(suite, binaries, folder):
    out = suite.command("keys", "generate", "acme", "--keys", str(folder / "mine"), "--json")
    key = json.loads(out)["key"]
    assert not json.loads(suite.command("keys", "generate", "acme", "--keys", str(folder / "mine"), "--json"))["new"]
    assert json.loads(suite.command("keys", "authorize", "acme", "--integrator", "--key", key, "--json"))["changed"]
    assert not json.loads(suite.command("keys", "authorize", "acme", "--integrator", "--key", key, "--json"))["changed"]
    assert [item["client"] for item in suite.ask("keys", "list")["items"]] == ["acme"]
    assert suite.ask("keys", "revoke", "acme")["revoked"] == [key]
    assert suite.ask("keys", "revoke", "acme")["revoked"] == []
    with (suite.keys / "authorized_keys").open("a") as file:
        file.write(f"{key} acme pub=e/*\n")
    said = suite.command("keys", "list", "--json", check=False)
    assert "authorized_keys:" in json.loads(said)["problems"][0] and "pub: 'e/*'" in said
    (suite.keys / "authorized_keys").unlink()
    # A bus without its key, or a service without one, does not start, and says how to make it.
    suite.up()
    assert suite.is_ready()
