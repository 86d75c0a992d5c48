"""What an operator gets wrong: a clear line, an exit code, and nothing changed."""

import pytest
from engine import podman, run

BUS = ["--env", "MARTLET_BUS=tcp://event-bus:5550"]
KEYS = ["--env", "MARTLET_KEYS=/keys"]


@pytest.fixture
def volume():
    name = podman("volume", "create")
    yield name
    podman("volume", "rm", "--force", name)


def start(image, *words, options=()):
    """A container alone; its exit code and what it said."""
    done = run(
        "podman", "run", "--rm", "--read-only", "--network", "none", *options, image, *words, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_a_container_without_its_key_says_which_and_ends(built, volume):
    options = ["--volume", f"{volume}:/data", *BUS, *KEYS]
    code, said = start(built, "trainer-proxy", options=options)
    assert code == 1 and "there is no /keys/trainer-proxy.key; make it with 'martlet keys generate trainer-proxy'" in said
    code, said = start(built, "event-bus", "--bus", "tcp://*:5550", options=options)
    assert code == 1 and "there is no /keys/event-bus.key" in said


def test_a_key_that_others_can_read_is_refused(built, volume, tmp_path):
    options = ["--volume", f"{volume}:/data", "--volume", f"{volume}-keys:/keys/deployer", *BUS]
    try:
        podman("run", "--rm", "--network", "none", *options, built, "martlet", "keys", "suite", "--into", "/keys")
        podman("run", "--rm", "--network", "none", *options, built, "chmod", "644", "/keys/deployer/deployer.key")
        code, said = start(built, "deployer", options=[*options, "--env", "MARTLET_KEYS=/keys/deployer"])
        assert code == 1 and "deployer.key can be read by others; close it with 'chmod 600" in said
        assert "secret-key" not in said
    finally:
        podman("volume", "rm", "--force", f"{volume}-keys")


def test_a_volume_that_cannot_be_written_is_named(built, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    code, said = start(built, "registry-service", options=["--volume", f"{closed}:/data", *BUS, *KEYS])
    assert code == 1 and "/data/" in said and "Permission denied" in said and "check who owns" in said
    code, said = start(built, "registry-service", options=[*BUS, *KEYS])
    assert code == 1 and "Read-only file system" in said


def test_a_secret_that_is_missing_and_one_that_cannot_be_read_are_told_apart(built, volume, tmp_path):
    options = ["--volume", f"{volume}:/data", "--env", "MARTLET_ARTIFACTS=s3://models/martlet"]
    code, said = start(built, "registry-service", options=options)
    assert code == 1 and "secret S3_ACCESS_KEY_ID is not set: put it into /data/secrets/S3_ACCESS_KEY_ID" in said
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "S3_ACCESS_KEY_ID").write_text("hunter2")
    (secrets / "S3_ACCESS_KEY_ID").chmod(0o600)
    code, said = start(built, "registry-service", options=[*options, "--volume", f"{secrets}:/run/secrets:ro"])
    assert code == 1 and "/run/secrets/S3_ACCESS_KEY_ID cannot be read: Permission denied" in said
    assert "hunter2" not in said


def test_a_newer_database_is_refused_and_stays_as_it_is(built, volume):
    options = ["--volume", f"{volume}:/data", *BUS, *KEYS]
    make = (
        "import os, sqlite3; os.makedirs('/data/services/evaluator'); "
        "db = sqlite3.connect('/data/services/evaluator/state.sqlite'); "
        "db.execute('CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)'); "
        "db.execute(\"INSERT INTO grdb_migrations VALUES ('v99 of tomorrow')\"); db.commit()"
    )
    podman("run", "--rm", "--network", "none", *options, built, "python3", "-c", make)
    code, said = start(built, "evaluator", options=options)
    assert code == 1 and "was written by a newer Martlet" in said


def test_a_taken_port_and_nonsense_settings_are_named(built, volume, tmp_path):
    options = ["--volume", f"{volume}:/data"]
    code, said = start(built, "console", options=[*options, "--env", "MARTLET_DOORS=http://a:1"])
    assert code == 1 and "MARTLET_DOORS" in said
    code, said = start(built, "console", options=[*options, "--env", "MARTLET_PORT=http"])
    assert code != 0 and "$MARTLET_PORT: not a port" in said
    taken = "import socket, os, time; s = socket.create_server(('0.0.0.0', 8000)); time.sleep(60)"
    name = podman("run", "--detach", "--rm", "--network", "none", built, "python3", "-c", taken)
    try:
        done = run(
            "podman", "run", "--rm", "--network", f"container:{name}", *options, built, "event-bus", "--port", "8000",
            check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1 and "port 8000 on 127.0.0.1 is in use" in done.stdout + done.stderr
    finally:
        podman("rm", "--force", "--time", "0", name)
