"""Bad input and broken machines: a clear word, nothing harmed."""

import os
import resource
import signal
import socket
import subprocess

import pytest
from processes import passes_as_root, pid, refused, running
from suite import Suite
from waiting import until


# MARK: bad input


def test_an_invalid_project_file_starts_nothing_and_tells_all_errors(suite, events, repo):
    suite.command("repo", "add", "bad", str(repo.origin), "--poll", "0.3")
    text = "martlet: 1\npipelins: {}\npipelines:\n  a:\n    on: { push: {} }\n    jobs:\n      j: { needs: x, steps: [ { uses: evaluate/guess } ] }\n"
    sha = repo.push(martlet__yml=text)
    rejected = events.wait("project.rejected", 30, sha=sha)["data"]
    places = [(error["file"], error["line"]) for error in rejected["errors"]]
    assert ("martlet.yml", 2) in places and ("martlet.yml", 7) in places and len(places) == 3, places
    assert any("pipelines" in error["message"] for error in rejected["errors"]), "the nearest known key is named"
    assert not events.find("run.queued")
    assert "martlet.yml:2:" in refused(suite, "validate", str(repo.clone))
    repo.push_steps('{ run: "true" }')
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"


def test_an_unreachable_repository_is_shown_and_recovers(suite, events, folder, repo):
    away = folder / "away.git"
    repo.origin.rename(away)
    suite.command("repo", "add", "lost", str(repo.origin), "--poll", "0.3")
    told = events.wait("repository.unreachable", 30, repository="lost")["data"]
    assert str(repo.origin) in told["reason"]
    shown = until(
        lambda: [r for r in suite.ask("status")["repositories"] if r["state"] == "unreachable"], 30, "status shows it"
    )
    assert shown[0]["name"] == "lost" and shown[0]["reason"]
    away.rename(repo.origin)
    events.wait("repository.recovered", 60, repository="lost")
    repo.push_steps('{ run: "true" }')
    assert events.wait("run.finished", 60)["data"]["outcome"] == "succeeded"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('{ run: "echo first; echo the last words; exit 3" }', ["the last words", "3"]),
        ('{ run: "no-such-program --help" }', ["no-such-program"]),
        ('{ uses: train/run, with: { command: "python3 nowhere.py" } }', ["nowhere.py"]),
    ],
)
def test_a_command_that_fails_ends_the_run_with_its_last_lines(step, words, suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps(step)
    ended = events.wait("run.finished", 60)["data"]
    assert ended["outcome"] == "failed" and ended["failedStep"].startswith("only/")
    assert all(word in ended["message"] for word in words), ended["message"]


def test_a_missing_metric_follows_the_declared_rule(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps(
        """{ id: train, uses: train/run, with: { script: "mkdir -p $MARTLET_OUTPUT/model && echo 1 > $MARTLET_OUTPUT/model/m" } }""",
        """{ uses: evaluate/compare, with: { challenger: { run: "${{ steps.train.run_id }}" }, metric: mse, better: lower } }""",
    )
    ended = events.wait("run.finished", 60)["data"]
    assert ended["outcome"] == "not_promoted" and "mse" in ended["message"], ended
    decided = events.wait("evaluation.decided", 30)["data"]
    assert decided["reason"] == "missing_challenger_metric"


# MARK: broken machines


def test_a_second_up_on_the_same_folder_is_refused(suite, events, binaries):
    second = Suite(binaries, suite.data)
    said = refused(second, *second.up_words())
    assert str(suite.data) in said and "already" in said
    assert suite.is_ready()


def test_a_port_in_use_is_named(suite):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", suite.ports["console"]))
        taken.listen()
        said = refused(suite, *suite.up_words())
    assert str(suite.ports["console"]) in said and "in use" in said
    suite.up()
    assert suite.is_ready()


def test_a_damaged_database_is_named_and_left_as_it_is(suite):
    suite.up()
    suite.down()
    path = suite.data / "services" / "registry-service" / "state.sqlite"
    whole = path.read_bytes()
    for extra in path.parent.glob("state.sqlite-*"):
        extra.unlink()
    damaged = b"this is not a database" * 100
    path.write_bytes(damaged)
    said = refused(suite, *suite.up_words())
    assert str(path) in said and "damaged" in said
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    suite.up()
    assert suite.is_ready()


@pytest.fixture
def small_disk(folder):
    """A disk of 48 MB; for root."""
    path = folder / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_harms_nothing_and_is_got_over(request, binaries):
    if os.geteuid() != 0:
        passes_as_root(f"{request.path}::{request.node.name}", binaries)
        return
    small_disk, repo = request.getfixturevalue("small_disk"), request.getfixturevalue("repo")
    suite = Suite(binaries, small_disk / "data")
    suite.up()
    try:
        suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
        repo.push_steps('{ run: "true" }')
        until(lambda: ended(suite) == ["succeeded"], 60, "a run before")
        fill(small_disk / "filler")
        # What a database's log has room for is still taken.
        until(lambda: not accepted(suite, "tokens", "create", "--role", "viewer"), 120, "the console has no room left")
        said = refused(suite, "run", "check", "--project", "small")
        assert "disk" in said or "full" in said, said
        (small_disk / "filler").unlink()
        until(suite.is_ready, 60, "all are ready again")
        suite.command("run", "check", "--project", "small", "--wait", timeout=120)
        assert set(ended(suite)) == {"succeeded"}
    finally:
        suite.down()


def accepted(suite, *words):
    return subprocess.run([suite.martlet, *words], env=suite.environment, capture_output=True).returncode == 0


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def ended(suite):
    return [run["outcome"] for run in suite.ask("runs", "list")["items"] if run["state"] == "finished"]


def test_down_leaves_nothing_running(suite):
    suite.up()
    assert len(running(suite)) >= 9
    suite.down()
    assert not running(suite)


def test_a_service_that_may_open_no_files_for_a_while_goes_on_afterwards(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    worker, bus = pid(suite, "trainer-proxy"), pid(suite, "event-bus")
    soft, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    # A bus that is silent for five seconds is dialed anew, which takes a file.
    os.kill(bus, signal.SIGSTOP)
    try:
        # Above what one call polls for, below all that is open.
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (4, hard))
        words = "the bus connection cannot be opened, trying again"
        log = suite.data / "services" / "trainer-proxy"
        until(lambda: any(words in path.read_text() for path in log.glob("log*")), 60, "it says what is missing")
    finally:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (soft, hard))
        os.kill(bus, signal.SIGCONT)
    until(suite.is_ready, 60, "everything is ready")
    mark = events.mark()
    suite.command("run", "check", "--project", "small", "--wait")
    assert events.wait("run.finished", 60, since=mark)["data"]["outcome"] == "succeeded"
    assert pid(suite, "trainer-proxy") == worker
