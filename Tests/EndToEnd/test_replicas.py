"""Several processes of each service on one host: they share the work, and when the leader dies another one leads."""

import json
import os
import signal
import time

from suite import Events
from waiting import until

SERVICES = [
    "trigger-service",
    "trainer-proxy",
    "evaluator",
    "registry-service",
    "deployer",
    "notifier",
    "console",
]


def start(suite, *services):
    suite.command(*suite.up_words(), *(w for name in services for w in ("--scale", f"{name}=2")), timeout=120)
    return Events(suite, tell=lambda event: None)


def holder(suite, service, lock="leader.lock"):
    """Who holds a lock, as the kernel tells."""
    inode = (suite.data / "services" / service / lock).stat().st_ino
    with open("/proc/locks") as locks:
        for line in locks:
            words = line.split()
            if words[1] == "FLOCK" and int(words[5].rsplit(":", 1)[1]) == inode:
                return int(words[4])
    return None


def lead_again(suite, service, dead):
    """How long it took until another process led."""
    began = time.monotonic()
    until(lambda: holder(suite, service) not in (None, dead), 30, f"another replica of {service} leads")
    return time.monotonic() - began


def test_the_leader_of_two_replicas_dies_under_a_stream_of_runs(suite, repo):
    events = start(suite, *SERVICES)
    repo.push_steps('{ run: "sleep 0.1" }', '{ run: "true" }')
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    events.wait("run.finished", 60)
    asked = 0
    for service in SERVICES:
        since = events.mark()
        for _ in range(4):
            suite.command("run", "check", "--project", "small")
        leader = until(lambda: holder(suite, service), 30, f"a replica of {service} leads")
        os.kill(leader, signal.SIGKILL)
        seconds = lead_again(suite, service, leader)
        print(f"{service}: another replica led after {seconds * 1000:.0f} ms")
        for _ in range(4):
            until(lambda: accepted(suite), 30, "the console takes a wish")
        asked += 8
        until(lambda: len(events.find("run.finished", since)) >= 8, 60, f"all runs end after {service} died")
    every_run_once(events, asked + 1)
    workers = {event["data"]["worker"] for event in events.find("step.started")}
    assert workers == {"trainer-proxy", "trainer-proxy-2"}, "the work is shared"
    events.stop()


def accepted(suite):
    return suite.command("run", "check", "--project", "small", check=False)


def every_run_once(events, count):
    queued = [event["data"]["run"] for event in events.find("run.queued")]
    finished = [event["data"]["run"] for event in events.find("run.finished", outcome="succeeded")]
    assert len(set(queued)) == len(queued) == count
    assert sorted(finished) == sorted(queued)
    steps = [(e["data"]["run"], e["data"]["step"]) for e in events.find("step.finished", outcome="succeeded")]
    assert len(set(steps)) == len(steps) == 2 * count, "no step ended twice"


def test_replicas_show_where_they_listen_and_status_is_one_line_each(suite):
    events = start(suite, "trainer-proxy", "console")
    ports = set()
    for name in ["http.json", "http-2.json"]:
        for service in ["trainer-proxy", "console"]:
            ports.add(json.loads((suite.data / "services" / service / name).read_text())["port"])
    assert len(ports) == 4
    until(suite.is_ready, 30, "everything is ready")
    names = [service["name"] for service in suite.ask("status")["services"]]
    assert len(set(names)) == len(names)
    events.stop()
