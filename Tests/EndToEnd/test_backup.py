"""Backups of a suite that runs, and their restore: nothing is lost before the copy, and nobody is misled after it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import urllib.request
from pathlib import Path

from conftest import Suite
from processes import refused
from suite import Events
from waiting import until


def databases(folder):
    return {path.parent.name: path for path in folder.glob("services/*/state.sqlite")}


def logs_and_cursors(folder):
    """How far each log of a backup goes, and how far each service had read each log."""
    heads, cursors = {}, {}
    for service, path in databases(folder).items():
        with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as db:
            heads |= {source: (epoch, last) for source, epoch, last in db.execute("SELECT source, epoch, last FROM log")}
            for source, epoch, seq in db.execute("SELECT source, epoch, seq FROM cursor"):
                cursors[service, source] = (epoch, seq)
    return heads, cursors


def finished(suite):
    return [run for run in suite.ask("runs", "list")["items"] if run["state"] == "finished"]


def test_a_backup_under_load_is_of_one_moment_and_comes_back(suite, events, repo, folder):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo one" }')
    first = events.wait("run.finished", 60)["data"]["run"]
    stop = threading.Event()

    def keep_busy():
        while not stop.is_set():
            suite.command("run", "check", "--project", "small", check=False)

    busy = [threading.Thread(target=keep_busy) for _ in range(2)]
    for thread in busy:
        thread.start()
    try:
        for number in range(3):
            target = folder / f"backup-{number}"
            record = json.loads(suite.command("backup", str(target), "--json"))
            assert set(record["services"]) == set(databases(target))
            heads, cursors = logs_and_cursors(target)
            assert cursors
            ahead = {pair: place for pair, place in cursors.items() if place > heads[pair[1]]}
            assert not ahead, f"they know more than the copies of their sources: {ahead}, {heads}"
    finally:
        stop.set()
        for thread in busy:
            thread.join()
    assert not list(folder.glob("*.partial"))
    with sqlite3.connect(databases(target)["trigger-service"]) as db:
        known = {row[0] for row in db.execute("SELECT id FROM run")}
    assert first in known
    suite.command("run", "check", "--project", "small", "--wait")
    newer = {run["id"] for run in finished(suite)} - known
    assert newer
    assert "martlet down" in refused(suite, "restore", str(target))
    suite.down()
    suite.command("down", "--all")
    said = suite.command("restore", str(target))
    assert "restored: console, deployer" in said
    suite.up()
    until(suite.is_ready, 60, "all services are ready, and none has halted")
    shown = {run["id"] for run in suite.ask("runs", "list")["items"]}
    assert first in shown and not shown & newer
    assert "one" in suite.command("runs", "logs", first)
    assert events_of(suite, "bus.epoch_begun"), "every log went on under a new epoch"
    assert suite.ask("run", "check", "--project", "small", "--wait")["outcome"] == "succeeded"
    kept = list(suite.data.glob("replaced/*/trigger-service/state.sqlite"))
    assert len(kept) == 1, "what was replaced is kept"


def events_of(suite, name):
    tail = Events(suite, tell=lambda event: None)
    try:
        return until(lambda: tail.find(name), 30, name)
    finally:
        tail.stop()


def test_i6_one_service_restored_from_an_older_copy_is_noticed_by_those_who_had_read_more(suite, events, repo, folder):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    suite.command("backup", str(folder / "old"))
    # What everybody hears of and the copy lacks.
    suite.command("run", "check", "--project", "small", "--wait")
    until(suite.is_ready, 30, "everything is read")
    suite.down()
    suite.command("restore", str(folder / "old"), "--service", "trigger-service")
    suite.up_anyhow()
    until(lambda: states(suite)["trainer-proxy"] == "halted", 60, "trainer-proxy has noticed")
    said = suite.command("status", check=False)
    assert "martlet logs release trainer-proxy" in said
    for service, state in states(suite).items():
        if state == "halted":
            suite.command("logs", "release", service, "trigger-service")
    until(suite.is_ready, 60, "released, they go on")
    assert suite.ask("run", "check", "--project", "small", "--wait")["outcome"] == "succeeded"


def states(suite):
    services = json.loads(suite.command("status", "--json", check=False) or "{}").get("services", [])
    return {service["name"]: service["state"] for service in services} | {None: None}


def test_into_another_folder_on_another_day(suite, events, repo, folder, binaries):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo kept" }')
    run = events.wait("run.finished", 60)["data"]["run"]
    suite.command("backup", str(folder / "backup"))
    suite.down()
    shutil.rmtree(suite.data)
    other = Suite(binaries, folder / "elsewhere")
    other.command("restore", str(folder / "backup"))
    other.up()
    try:
        assert "kept" in other.command("runs", "logs", run)
    finally:
        other.down()


def test_what_is_no_whole_backup_changes_nothing(suite, events, folder):
    suite.command("backup", str(folder / "good"))
    assert "not empty" in refused(suite, "backup", str(folder / "good"))
    suite.down()
    before = {path: path.stat().st_mtime_ns for path in suite.data.glob("services/*/state.sqlite")}
    assert "no backup.json" in refused(suite, "restore", str(suite.data))
    copy = folder / "good" / "services" / "console" / "state.sqlite"
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(suite, "restore", str(folder / "good"))
    copy.unlink()
    assert "is missing" in refused(suite, "restore", str(folder / "good"))
    assert "it has console" in refused(suite, "restore", str(folder / "good"), "--service", "nobody")
    assert before == {path: path.stat().st_mtime_ns for path in suite.data.glob("services/*/state.sqlite")}
    suite.up()


def test_a_restore_that_was_killed_half_way_is_finished_before_anything_starts(suite, events, folder):
    suite.command("backup", str(folder / "backup"))
    suite.down()
    suite.command("restore", str(folder / "backup"))
    # As a kill between two services leaves it.
    services = sorted(databases(suite.data))
    late = suite.data / "services" / services[-1]
    os.rename(late / "state.sqlite", late / "state.sqlite.restored")
    mark = {"from": str(folder / "backup"), "time": "2026-01-01T00:00:00.000Z", "services": services}
    (suite.data / "restore.json").write_text(json.dumps(mark | {"replaced": str(suite.data / "replaced" / "x")}))
    assert "interrupted" in refused(suite, "up", "--detach")
    alone = subprocess.run(
        [Path(suite.martlet).with_name("evaluator")], env=suite.environment, capture_output=True, text=True, timeout=60
    )
    assert alone.returncode == 1 and "is half restored" in alone.stderr, alone.stderr
    suite.command("restore", str(folder / "backup"))
    suite.up()
    until(suite.is_ready, 60, "all services are ready")


def test_a_killed_backup_leaves_none(suite, events, folder):
    target = folder / "killed"
    process = subprocess.Popen([suite.martlet, "backup", str(target)], env=suite.environment, stderr=subprocess.PIPE)
    process.stderr.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists() or (target / "backup.json").exists(), "complete, or not there"
    until(suite.is_ready, 30, "the suite does not mind")


def figures(suite):
    """What the console's metrics tell of scheduled backups."""
    port = json.loads((suite.data / "services" / "console" / "http.json").read_text())["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.findall(r"^martlet_backup_(\w+) (\S+)$", answer.read().decode(), re.MULTILINE)
    return {name: float(number) for name, number in found}


def test_scheduled_backups_are_taken_and_old_ones_removed(suite, folder):
    backups = folder / "backups"
    (backups / "mine").mkdir(parents=True)
    suite.command(*suite.up_words(), "--backup-to", str(backups), "--backup-every", "1s", "--backup-keep", "2", timeout=90)
    seen = set()

    def complete():
        now = {path.parent.name for path in backups.glob("*Z/backup.json")}
        seen.update(now)
        return now

    until(lambda: complete() and len(seen) >= 4, 60, "four backups were taken")
    until(lambda: len(complete()) <= 2, 30, "the newest two are kept")
    assert max(seen) in complete()
    assert (backups / "mine").exists(), "what is not a backup is left alone"
    until(lambda: "backups: the newest of" in suite.command("status"), 30, "the status tells of them")
    until(lambda: figures(suite).get("failing") == 0, 30, "the metrics tell of them")
    assert figures(suite)["interval_seconds"] == 1 and figures(suite)["last_success_timestamp_seconds"] > 1_700_000_000
    shutil.rmtree(backups)
    backups.write_text("in the way")
    until(lambda: "backups fail" in suite.command("status"), 60, "the status tells that they fail")
    until(lambda: figures(suite)["failing"] == 1, 30, "and so do the metrics")


def test_backups_on_a_schedule_without_up(suite, events, folder):
    backups = folder / "backups"
    with subprocess.Popen(
        [suite.martlet, "backup", str(backups), "--every", "1s", "--keep", "2"], env=suite.environment,
        stdout=subprocess.PIPE, text=True,
    ) as taking:  # fmt: skip
        try:
            for _ in range(2 * 3):
                assert taking.stdout.readline().startswith(("backed up: 7 services", "It took"))
        finally:
            taking.send_signal(signal.SIGTERM)
        assert taking.wait(30) == 0
    assert 1 <= len(list(backups.glob("*Z/backup.json"))) <= 3
    assert not list(backups.glob("*.partial"))
    until(lambda: "backups: the newest of" in suite.command("status"), 30, "the status tells of them")
