"""One installation for all tests here: images, containers and volumes are dear."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Examples" / "demo"), str(ROOT / "Tests" / "EndToEnd"), str(Path(__file__).parent)]

import images  # noqa: E402
import lake_project  # noqa: E402
import operating  # noqa: E402
from engine import podman, run  # noqa: E402
from installation import SERVICES, Installation  # noqa: E402
from outsider import Outsider  # noqa: E402
from shared_repository import SharedRepository  # noqa: E402


@pytest.fixture(scope="session")
def binaries():
    folder = os.environ.get("MARTLET_BIN") or str(ROOT / ".build" / "debug")
    if not (Path(folder) / "martlet").exists():
        pytest.fail(f"no executables in {folder}: run 'make build', or set MARTLET_BIN")
    return folder


@pytest.fixture(scope="session")
def installation(binaries):
    one = Installation(
        "martlet-test",
        {
            "BUILD_IMAGE": images.programs(binaries),
            "BASE_IMAGE": images.runtime(binaries),
            "MARTLET_FRONT_IMAGE": images.debian_with("haproxy", "haproxy"),
            "MARTLET_PROMETHEUS_IMAGE": images.prometheus(),
        },
        binaries,
    )
    one.down()
    secret = ROOT / "compose" / "secrets" / "notifier" / "SLACK_HOOK"
    yield one
    if not os.environ.get("KEEP"):
        one.down()
        for path in (secret, ROOT / "compose" / ".env"):
            path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def built(installation):
    """The image, by the shipped Dockerfile."""
    installation.shell(operating.command("docker build", "--file compose/Dockerfile"), folder=ROOT)
    return "localhost/martlet"


def listening():
    """What the engine opens on this machine for its containers, as the kernel has it."""
    lines = run("ss", "--tcp", "--listening", "--numeric", "--processes", "--no-header").stdout.splitlines()
    return {line.split()[3] for line in lines if '"conmon"' in line}


def inside(container):
    """The ports that listen inside of a container."""
    pid = podman("inspect", "--format", "{{.State.Pid}}", container)
    lines = run("nsenter", "--target", pid, "--net", "ss", "--tcp", "--listening", "--numeric", "--no-header")
    return {int(line.split()[3].rsplit(":", 1)[1]) for line in lines.stdout.splitlines()}


@pytest.fixture(scope="session")
def up(installation, built):
    """Started as docs/operating.md says, and healthy."""
    before = listening()
    installation.shell(operating.command("cp .env.example"))
    begun = time.monotonic()
    installation.shell(operating.command("docker compose up --detach"))
    installation.seconds = installation.until_healthy() - begun
    installation.opened = listening() - before
    installation.inside = {
        name: inside(name) for service in [*SERVICES, "front"] for name in installation.containers(service)
    }
    return installation


@pytest.fixture(scope="session")
def outsider(up, tmp_path_factory):
    """An integrator elsewhere: makes a key of its own, and is let in by its public half."""
    keys = tmp_path_factory.mktemp("keys")
    made = run(up.martlet_program, "keys", "generate", "acme", "--keys", keys, "--json").stdout
    bus = up.containers("event-bus")[0]
    podman("exec", bus, "martlet", "keys", "authorize", "acme", "--integrator", "--key", json.loads(made)["key"])
    (keys / "event-bus.pub").write_text(podman("exec", bus, "cat", "/keys/event-bus.pub") + "\n")
    client = Outsider(up.bus, keys, "acme")
    client.keys = keys
    yield client
    client.close()


@pytest.fixture(scope="session")
def lake(up):
    """A repository that an event starts; its first push has run."""
    one = SharedRepository(up, "lake")
    one.push(martlet__yml=lake_project.PROJECT, train__py=lake_project.TRAIN)
    one.watch()
    yield one
    one.forget()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the containers said last."""
    outcome = yield
    report = outcome.get_result()
    one = item.funcargs.get("installation")
    if report.failed and one is not None:
        report.sections.append(("containers", one.logs(lines=25)))
