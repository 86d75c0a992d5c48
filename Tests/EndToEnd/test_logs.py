"""Databases put back from a backup: found out, told, and gone on with once an operator says so."""

import json
import shutil
import sqlite3

import pytest
from processes import another, kill
from suite import Failed
from waiting import until


def database(suite, service):
    return suite.data / "services" / service / "state.sqlite"


def copy(suite, service, place):
    with sqlite3.connect(database(suite, service)) as source, sqlite3.connect(place) as target:
        source.backup(target)


def put_back(suite, service, place):
    for end in ["-wal", "-shm"]:
        database(suite, service).with_name("state.sqlite" + end).unlink(missing_ok=True)
    shutil.copyfile(place, database(suite, service))


def follows(suite, service, source):
    for report in suite.ask("logs")["items"]:
        if report["service"] == service and "follows" in report:
            return next(one for one in report["follows"] if one["source"] == source)
    return None


def halted(suite, service, source):
    one = follows(suite, service, source)
    return one is not None and one["halt"]


def goes_on(suite, service, source):
    one = follows(suite, service, source)
    return one is not None and one["halt"] is None


def test_a_restored_registry_is_found_out_and_released(suite, events, repo, folder):
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_model(1)
    events.wait("model.registered", 60, version=1)
    copy(suite, "registry-service", folder / "registry.sqlite")
    repo.push_model(2)
    events.wait("model.registered", 60, version=2)
    until(lambda: (follows(suite, "deployer", "registry-service") or {}).get("seq", 0) >= 2, 30, "the deployer has heard")
    suite.down()
    events.stop()
    put_back(suite, "registry-service", folder / "registry.sqlite")

    suite.up()
    until(lambda: halted(suite, "deployer", "registry-service"), 30, "the deployer halts")
    until(lambda: halted(suite, "trigger-service", "registry-service"), 30, "the trigger-service halts")
    # Who only tells goes on by itself, and says so.
    until(lambda: goes_on(suite, "console", "registry-service"), 30, "the console goes on")
    status = json.loads(suite.command("status", "--json", check=False))
    states = {service["name"]: service["state"] for service in status["services"]}
    assert states["deployer"] == "halted" and states["registry-service"] == "ready"
    answer = suite.ask("logs", "release", "deployer", "registry-service")
    assert answer["state"] == "accepted" and "no longer has" in answer["reason"]
    suite.command("logs", "release", "trigger-service", "registry-service")
    with pytest.raises(Failed, match="not halted"):
        suite.ask("logs", "release", "deployer", "registry-service")
    until(lambda: goes_on(suite, "deployer", "registry-service"), 30, "the deployer goes on")


def test_a_killed_service_is_not_taken_for_a_restored_one(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    another(suite, "trigger-service", kill(suite, "trigger-service"))
    until(suite.is_ready, 60, "everything is ready again")
    suite.command("run", "check", "--project", "small", "--wait")
    epochs = {log["source"]: log["epochs"] for report in suite.ask("logs")["items"] for log in report.get("logs", [])}
    assert set(epochs.values()) == {1}
