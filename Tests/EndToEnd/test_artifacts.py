"""The artifact store of a whole suite: in the data folder, in a bucket, and what is removed of it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from processes import pid, refused
from waiting import until


@pytest.fixture
def bucket():
    """A real S3 server that checks signatures."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "Tests" / "Support" / "s3.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield json.loads(server.stdout.readline())
    server.stdin.close()
    server.wait(30)


def test_the_loop_with_its_artifacts_in_a_bucket(suite, bucket, repo):
    from suite import Events

    suite.environment |= {"MARTLET_ARTIFACTS": f"s3://{bucket['bucket']}/team", "MARTLET_S3_ENDPOINT": bucket["endpoint"]}
    assert "S3_ACCESS_KEY_ID" in refused(suite, *suite.up_words()), "found missing at the start, with its name"
    for name, value in (("S3_ACCESS_KEY_ID", bucket["key"]), ("S3_SECRET_ACCESS_KEY", bucket["secret"])):
        path = suite.data / "secrets" / name
        path.write_text(value)
        path.chmod(0o600)
    suite.up()
    events = Events(suite, tell=lambda event: None)
    try:
        suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
        repo.push_model(0.5)
        suite.command("approve", events.wait("approval.requested", 90)["data"]["approval"])
        deployed = events.wait("run.finished", 120, pipeline="deploy")["data"]
        assert deployed["outcome"] == "succeeded", deployed
        assert not list(suite.data.glob("artifacts/sha256/*/*")), "nothing is kept beside the bucket"
        assert not list(suite.data.glob("artifacts/tmp/*")), "and nothing is left over"
        stored = suite.ask("artifacts", "list")
        assert stored["place"] == f"s3://{bucket['bucket']}/team" and stored["artifacts"] > 2
        trained = events.find("run.finished", pipeline="train")[0]["data"]["run"]
        # The live log may be gone: what is shown then comes out of the bucket.
        for path in suite.data.glob("artifacts/live/*"):
            path.unlink()
        assert suite.command("runs", "logs", trained).strip()
        for path in suite.data.rglob("*"):
            if path.is_file() and path.parent.name != "secrets":
                assert bucket["secret"].encode() not in path.read_bytes(), f"the secret is in {path}"
    finally:
        events.stop()


def make_old(path):
    """As if it had been stored three days ago."""
    old = time.time() - 3 * 86_400
    os.utime(path, (old, old))


def test_garbage_is_shown_first_and_what_is_referred_to_stays(suite, events, repo):
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_model(0.5)
    events.wait("approval.requested", 90)
    store = suite.data / "artifacts" / "sha256"
    needed = set(store.glob("*/*"))
    assert needed
    garbage = store / "ab" / ("ab" + "0" * 62)
    garbage.parent.mkdir(exist_ok=True)
    garbage.write_bytes(b"x" * 1000)
    fresh = store / "ab" / ("ab" + "1" * 62)
    fresh.write_bytes(b"y")
    for path in needed | {garbage}:
        make_old(path)
    shown = suite.command("artifacts", "gc")
    assert "nobody refers to 1 of" in shown and "--delete" in shown and "1 more" in shown
    assert garbage.exists()
    viewer = suite.ask("tokens", "create", "--role", "approver", "--name", "vic")["token"]
    assert "admin" in refused(suite, "artifacts", "gc", "--token", viewer)
    assert "at least 2h" in refused(suite, "artifacts", "gc", "--grace", "1h", code=2)
    removed = suite.command("artifacts", "gc", "--grace", "2d", "--delete")
    assert "removed: 1 artifacts" in removed
    assert not garbage.exists() and fresh.exists()
    assert set(store.glob("*/*")) >= needed


def test_nothing_is_removed_while_a_service_cannot_say_what_it_needs(suite, events):
    garbage = suite.data / "artifacts" / "sha256" / "ab" / ("ab" + "0" * 62)
    garbage.parent.mkdir(parents=True, exist_ok=True)
    garbage.write_bytes(b"x")
    make_old(garbage)
    stopped = pid(suite, "evaluator")
    os.kill(stopped, signal.SIGSTOP)
    try:
        said = refused(suite, "artifacts", "gc", "--delete")
        assert "evaluator" in said and "nothing was removed" in said
        assert garbage.exists()
    finally:
        os.kill(stopped, signal.SIGCONT)
    until(suite.is_ready, 30, "everything is ready again")
    assert "removed: 1" in suite.command("artifacts", "gc", "--delete")
