"""Replicas: scaled, killed and replaced while work goes on. Needs what test_compose.py has left: a model that serves."""

import json
import os
import signal
import time
from urllib.parse import urlsplit

import images
import loop_project
import operating
import pytest
from engine import ROOT, podman
from installation import SERVICES
from load import TYPE, Publishing, Pushes, Tracking, scoring, send
from shared_repository import SharedRepository
from waiting import until

SCALE = {"TRAINER": 3, "EVALUATOR": 2, "NOTIFIER": 2, "REGISTRY": 2, "TRIGGER": 2, "DEPLOYER": 2}
REPLICAS = {
    "trainer-proxy": 3, "evaluator": 2, "notifier": 2, "registry-service": 2, "trigger-service": 2, "deployer": 2,
    "event-bus": 1, "console": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def scaled(up):
    if not up.ask("endpoints", "list")["items"]:
        pytest.fail("nothing serves: these tests follow test_compose.py, which deploys a model")
    up.settings |= {f"MARTLET_{name}_SCALE": str(count) for name, count in SCALE.items()}
    up.up()
    up.until_healthy()
    return up


@pytest.fixture(scope="module")
def repo(scaled):
    one = SharedRepository(scaled, "small")
    one.push_steps('{ run: "true" }')
    one.watch()
    yield one
    one.forget()


def kill(container):
    """As the kernel does it when memory is short: the restart policy brings it back."""
    os.kill(int(podman("inspect", "--format", "{{.State.Pid}}", container)), signal.SIGKILL)


def test_all_replicas_are_there_and_all_are_healthy(scaled):
    assert {service: len(scaled.containers(service)) for service in SERVICES} == REPLICAS
    until(lambda: {s["name"]: s["replicas"] for s in scaled.ask("status")["services"]} == REPLICAS, 30, "counted")


@pytest.fixture(scope="module")
def token(scaled):
    made = scaled.ask("tokens", "create", "--role", "operator", "--name", "load")["token"]
    search = scaled.door("MARTLET_MLFLOW_PORT") + "/api/2.0/mlflow/experiments/search?max_results=1"
    headers = {"Authorization": f"Bearer {made}"}
    # It comes over the bus.
    url = urlsplit(search)
    until(lambda: send(url, "GET", f"{url.path}?{url.query}", None, headers)[0] == 200, 30, "the registry knows the token")
    return made


@pytest.fixture(scope="module")
def pushed(scaled, repo):
    """A payload of GitHub about the newest commit of `small`, which has been looked at; and the secret that signs it."""
    place = ROOT / "compose" / "secrets" / "trigger-service" / "WEBHOOK_GITHUB"
    place.write_text("s3cret")
    place.chmod(0o644)
    scaled.martlet(
        "repo", "add", "small", "/repositories/small.git", "--forge-url", "https://github.com/Codertocat/Hello-World"
    )
    payload = json.loads((ROOT / "Tests/Fixtures/webhooks/github/push.branch-with-files.json").read_text())
    yield payload | {"ref": "refs/heads/main", "after": repo.git("rev-parse", "HEAD")}, "s3cret"
    place.unlink()


@pytest.fixture
def load(scaled, token, pushed):
    """50 scoring requests a second, and what the other doors are there for."""
    gateway, endpoint = scaled.door("MARTLET_GATEWAY_PORT"), scaled.ask("endpoints", "list")["items"][0]["name"]
    payload, secret = pushed
    doors = {
        "gateway": scoring(f"{gateway}/endpoints/{endpoint}/score", 50),
        "registry": Tracking(scaled.door("MARTLET_MLFLOW_PORT"), token, 4),
        "webhook": Pushes(scaled.door("MARTLET_WEBHOOK_PORT"), secret, payload, 2),
    }
    yield doors
    for door in doors.values():
        door.stop()


def nothing_is_lost(load):
    """What the doors have acknowledged is there, and nothing else."""
    assert load["registry"].found() == load["registry"].logged and load["registry"].logged
    assert load["webhook"].forgotten() == [] and load["webhook"].acknowledged


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_container_changes_no_outcome(scaled, repo, load, service):
    """A run is at work meanwhile; requests at the doors wait at most, and none fails."""
    before = len(repo.finished())
    repo.push_steps('{ run: "sleep 2; echo once >> $MARTLET_OUTPUT/x; test $(wc -l < $MARTLET_OUTPUT/x) = 1" }')
    until(lambda: len(found := repo.runs()) > before and found[0]["state"] != "queued", 60, "the run has begun")
    victim = scaled.containers(service)[0]
    begun = time.monotonic()
    kill(victim)
    until(lambda: victim in scaled.containers(service), 90, f"{victim} is started again")
    print(f"{service}: healthy again after {scaled.until_healthy(90) - begun:.1f} s", end="; ")
    runs = until(lambda: (found := repo.finished()) and len(found) > before and found, 120, "the run has ended")
    assert len(runs) == before + 1
    assert runs[0]["outcome"] == "succeeded", runs[0]
    for name, door in load.items():
        door.stop()
        print(f"{name}: {door.done} requests, slowest {door.slowest:.1f} s", end="; ")
        assert not door.failures, (name, len(door.failures), door.failures[:5])
    nothing_is_lost(load)


def test_a_new_image_rolls_through_without_a_lost_event_or_a_failed_request(scaled, outsider, load, built):
    new = images.PREFIX + "-suite:two"
    scaled.shell(operating.command("docker build"))
    podman("tag", built, new)
    scaled.settings["MARTLET_IMAGE"] = new
    published = Publishing(outsider, 200)
    begun = time.monotonic()
    for service in SERVICES:
        # podman-compose would take everything down before it brings anything up.
        scaled.compose("up", "--detach", "--no-deps", service)
        scaled.until_healthy()
    print(f"rolled in {time.monotonic() - begun:.0f} s", end="; ")
    for name, work in [("events", published), *load.items()]:
        work.stop()
        print(f"{name}: {work.done}, slowest {work.slowest:.1f} s", end="; ")
        assert not work.failures, (name, len(work.failures), work.failures[:5])
    nothing_is_lost(load)
    for name in scaled.containers("trigger-service"):
        assert podman("inspect", "--format", "{{.ImageName}}", name) == new
    seen = scaled.martlet(
        "events", "tail", "--bus", scaled.bus, "--key-file", outsider.keys / "acme.key", "--since", "start",
        "--type", TYPE, "--limit", len(published.acknowledged), "--json", timeout=120,
    )  # fmt: skip
    heard = [json.loads(line)["event"]["id"] for line in seen.splitlines()]
    assert len(heard) == len(set(heard)), "no event is in the log twice"
    assert set(heard) == set(published.acknowledged), "no acknowledged event is missing, and no other is there"


@pytest.fixture(scope="module")
def loop(scaled):
    one = SharedRepository(scaled, "loop")
    one.push(**loop_project.files(1))
    one.watch()
    yield one
    one.forget()


@pytest.mark.parametrize("number, service", [(2, "evaluator"), (3, "registry-service"), (4, "deployer")])
def test_replicas_judge_register_and_deploy_once_while_one_of_them_dies(scaled, loop, number, service):
    before = len(loop.finished())
    loop.push(**loop_project.files(number))
    run = until(lambda: (found := loop.runs()) and len(found) > before and found[0], 30, "the run has begun")["id"]
    # Each of them is killed once its own work is near: what it does takes too short to be met by looking.
    until(lambda: "train" in steps(scaled, run, "finished"), 90, "the training has ended")
    victim = scaled.containers(service)[0]
    kill(victim)
    until(lambda: len(loop.finished()) > before, 180, "the run has ended")
    until(lambda: victim in scaled.containers(service), 30, f"{victim} is started again")
    shown = scaled.ask("runs", "show", run)
    assert shown["outcome"] == "succeeded", shown
    assert [decision["winner"] for decision in shown["decisions"]] == ["challenger"]
    assert [(version["version"], version["stage"]) for version in shown["versions"]] == [(number, "production")]
    (endpoint,) = [one for one in scaled.ask("endpoints", "list")["items"] if one["name"] == "loop-api"]
    assert (endpoint["version"], endpoint["state"]) == (number, "serving")
    scaled.until_healthy()


def steps(installation, run, state):
    jobs = installation.ask("runs", "show", run)["jobs"]
    return {step["step"] for job in jobs for step in job["steps"] if step["state"] == state}


def test_the_end_keeps_the_volumes(scaled):
    volumes = podman("volume", "ls", "--quiet")
    scaled.shell(operating.command("docker compose", "down"), timeout=180)
    assert scaled.containers() == [] and podman("volume", "ls", "--quiet") == volumes
    assert operating.COMMANDS.left == [], "each was run"
