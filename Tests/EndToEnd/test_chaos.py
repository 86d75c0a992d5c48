"""Stopped processes, a bus that comes and goes, a clock that jumps: runs go on and end once."""

import os
import signal
import sqlite3
import subprocess
import time

import pytest
from clock import Clock
from processes import another, kill, pid
from suite import Events
from waiting import until


def follow_small(suite, repo, *steps, timeout=None):
    """A project of one pipeline, its first run ended."""
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps(*steps, timeout=timeout)


def start_run(suite):
    return suite.ask("run", "check", "--project", "small")["run"]


def each_ended_once(events, runs, seconds):
    """Every run succeeded, and nothing of it happened twice."""
    for run in runs:
        ended = events.wait("run.finished", seconds, run=run)
        assert ended["data"]["outcome"] == "succeeded", ended["data"]
    for run in runs:
        for name in ["run.queued", "run.finished"]:
            assert len(events.find(name, run=run)) == 1, f"{name} of {run}"
        finished = [e["data"]["step"] for e in events.find("step.finished", run=run)]
        assert len(finished) == len(set(finished)), f"steps of {run} finished twice: {finished}"
    ids = [event["id"] for event in events.find_all()]
    assert len(ids) == len(set(ids)), "an event was heard twice"


@pytest.mark.parametrize(
    ("service", "seconds"),
    [("trigger-service", 8), ("trainer-proxy", 20), ("event-bus", 8), ("console", 5)],
)
def test_a_stopped_process_goes_on_where_it_was(service, seconds, suite, events, repo):
    """SIGSTOP for longer than a session lives (15 s) or the bus may be silent (5 s)."""
    follow_small(suite, repo, '{ run: "true" }', '{ run: "sleep 2" }', '{ run: "true" }')
    runs = [events.wait("run.queued", 60)["data"]["run"], *(start_run(suite) for _ in range(3))]
    events.wait("step.started", 30, run=runs[-1])
    stopped = pid(suite, service)
    os.kill(stopped, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(stopped, signal.SIGCONT)
    each_ended_once(events, runs, 120)
    until(suite.is_ready, 60, "everything is ready")


def held_by(suite):
    """The sessions that steps are held with."""
    path = suite.data / "services" / "trigger-service" / "state.sqlite"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return [session for (session,) in db.execute("SELECT session FROM step WHERE state = 'held'")]


def processor_ticks(process):
    """User and system time of a process, in hundredths of a second."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_worker_that_lost_its_session_at_full_slots_waits_in_peace(suite, repo):
    suite.environment["MARTLET_TRAINER_SLOTS"] = "1"
    suite.up()
    follow_small(suite, repo, '{ run: "sleep 120" }')
    [before] = until(lambda: held_by(suite), 60, "the step is held")
    worker = pid(suite, "trainer-proxy")
    os.kill(worker, signal.SIGSTOP)
    try:
        until(lambda: held_by(suite) != [before], 60, "the session is over")
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: held_by(suite), 60, "the step is held with a new session")
    ticks = processor_ticks(worker)
    time.sleep(5)
    assert pid(suite, "trainer-proxy") == worker
    assert processor_ticks(worker) - ticks < 100, "it asks again and again whether a slot is free"
    suite.command("down", "--all")


def test_a_bus_that_dies_again_and_again_loses_nothing(suite, events, repo):
    follow_small(suite, repo, '{ run: "true" }', '{ run: "true" }')
    runs = [events.wait("run.queued", 60)["data"]["run"]]
    # The console hears of the project by itself, and is asked while there is no bus.
    until(lambda: suite.ask("runs", "list")["items"], 30, "the console knows of the first run, and so of its project")
    for _ in range(6):
        before = kill(suite, "event-bus")
        # Accepted while there is no bus: the console has stored it.
        runs += [start_run(suite) for _ in range(4)]
        another(suite, "event-bus", before)
    each_ended_once(events, runs, 120)


def test_whoever_waits_for_a_run_bears_a_restart_of_the_console(suite, repo):
    suite.up()
    follow_small(suite, repo, '{ run: "echo begun; sleep 10" }')
    [pushed] = until(lambda: suite.ask("runs", "list")["items"], 60, "the push has its run")

    def begin(*words):
        return subprocess.Popen(
            [suite.martlet, *words],
            env=suite.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    waiting = begin("run", "check", "--project", "small", "--wait")
    until(lambda: len(suite.ask("runs", "list")["items"]) == 2, 30, "there is a run to wait for")
    run = next(item["id"] for item in suite.ask("runs", "list")["items"] if item["id"] != pushed["id"])
    following = begin("runs", "logs", "-f", run)
    # Its first line: by then the console has answered it.
    first = following.stdout.readline()
    kill(suite, "console")
    for command in [waiting, following]:
        said, _ = command.communicate(timeout=120)
        assert command.returncode == 0, first + said
    run = start_run(suite)
    acquainted = begin("runs", "logs", "-f", run)
    assert acquainted.stdout.readline()
    suite.command("down", "--all")
    absent = begin("status")
    absent.communicate(timeout=60)
    assert absent.returncode == 3
    assert acquainted.poll() is None, "nobody waits for a console that never was there as for one that was"
    acquainted.kill()
    acquainted.communicate()


def test_an_hours_jump_of_the_clock_ends_nothing(suite, folder, repo):
    """Durations are counted on a clock that does not jump: no lease, session or time limit ends because of it."""
    clock = Clock(folder)
    clock.start(suite)
    events = Events(suite, tell=lambda event: None)
    follow_small(suite, repo, '{ run: "sleep 4", timeout: 60s }', '{ run: "true" }', timeout="10m")
    runs = [events.wait("run.queued", 60)["data"]["run"]]
    for jump in [3600, -3600]:
        events.wait("step.started", 60, run=runs[-1])
        clock.set(jump)
        runs.append(start_run(suite))
        each_ended_once(events, runs, 90)
    hours = {event["time"][:13] for event in events.find_all()}
    assert len(hours) >= 3, f"the clock did not jump: {hours}"
    events.stop()
