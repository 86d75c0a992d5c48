"""What docs/operating.md tells operators to say is said, in the order of its story; containers have Tests/Compose."""

import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import repository
from conftest import ROOT
from documented import Commands
from waiting import until

DOCUMENT = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = Commands(re.sub(r"(?s)\n## In containers\n.*?(?=\n## )", "", DOCUMENT))


@pytest.fixture
def shell(suite, folder):
    """As an operator types it, in a folder of their own."""
    environment = suite.environment | {"PATH": f"{Path(suite.martlet).parent}:{suite.environment['PATH']}"}

    def run(line, **more):
        done = subprocess.run(
            ["bash", "-euc", line], cwd=folder, env=environment | more, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    run.environment = environment
    return run


@pytest.fixture
def up(suite, shell):
    """`martlet up` on ports that are free, in the background."""

    def run(line):
        said = shell(" ".join([line, *suite.up_words()[1:]]))
        until(suite.is_ready, 60, "all services are ready")
        return said

    return run


def buses(line):
    """On free ports, and on this machine alone."""
    return re.sub(r"tcp://[\d.]+:\d+", "tcp://127.0.0.1:0", line)


def test_starting_and_stopping(suite, shell):
    ports = " ".join(suite.up_words()[2:])
    with subprocess.Popen(
        ["bash", "-c", f"exec {COMMANDS.take('martlet up')} {ports}"], env=shell.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as foreground:  # fmt: skip
        until(suite.is_ready, 60, "all services are ready")
        foreground.send_signal(signal.SIGTERM)
        assert "stopped" in foreground.communicate(timeout=60)[0]
    assert foreground.returncode == 0
    shell(COMMANDS.take("up --data DIR --detach").replace("DIR", str(suite.data)) + " " + ports)
    assert "trigger-service" in shell(COMMANDS.take("martlet status"))
    shell(COMMANDS.take("martlet down"))
    assert not suite.is_ready()


def test_telemetry_and_artifacts(suite, events, repo, shell):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "for n in 1 2 3 4 5; do echo line $n; sleep 0.3; done" }')
    run = events.wait("run.started", 60)["data"]["run"]
    assert "line 5" in shell(COMMANDS.take("runs logs --follow").replace("RUN", run))
    with subprocess.Popen(
        ["bash", "-c", "exec " + COMMANDS.take("--telemetry")], env=shell.environment, stdout=subprocess.PIPE, text=True
    ) as tail:
        try:
            # Nobody keeps telemetry: what was told before the tail listened is gone.
            for _ in range(10):
                suite.command("run", "check", "--project", "small", "--wait")
                seen = tail.stdout.readline()
                if seen.startswith("~"):
                    break
            assert "step." in seen
        finally:
            tail.kill()
    assert "artifact" in shell(COMMANDS.take("artifacts list"))
    shell(COMMANDS.take("artifacts gc"))
    shell(COMMANDS.take("artifacts gc --grace 7d --delete"))


def test_people(suite, events, shell):
    assert shell(COMMANDS.take("tokens create")).startswith("mlt_")
    assert "kim@example.org" in shell(COMMANDS.take("tokens list"))
    (kim,) = [one for one in suite.ask("tokens", "list")["items"] if one["name"] == "kim"]
    shell(COMMANDS.take("tokens revoke").replace("ID", kim["id"]))


def test_repositories_of_forges_and_events_of_programs(suite, events, repo, shell):
    (suite.data / "secrets" / "CHURN_HOOK").write_text("s3cret")
    repo.push_steps('{ run: "true" }')
    add = COMMANDS.take("repo add churn https://")
    shell(add.replace("https://github.com/acme/churn.git", str(repo.origin)))
    events.wait("run.finished", 60)
    suite.command("repo", "remove", "churn")
    shell(COMMANDS.take("repo add churn /srv").replace("/srv/mirror/churn.git", str(repo.origin)))
    shell(COMMANDS.take("repo add churn", "--forks").replace("https://github.com/acme/churn.git", str(repo.origin)))
    publish = COMMANDS.take("curl", "/events").replace("8081", str(suite.ports["trigger"]))
    token = suite.ask("tokens", "create", "--role", "operator", "--name", "lake")["token"]
    # The token comes over the bus.
    until(lambda: '"id"' in shell(publish, TOKEN=token) or None, 30, "the token counts")
    assert events.wait("acme.data.arrived", 30)["data"] == {"table": "churn"}


def test_the_bus_over_tcp(suite, shell, up):
    up(buses(COMMANDS.take("up --bus tcp://127.0.0.1:5550")))
    key = shell(COMMANDS.take("keys generate acme")).split("public key: ", 1)[1].split()[0]
    shell(re.sub(r"--key '.*'", f"--key '{key}'", COMMANDS.take("keys authorize acme")))
    assert "acme" in shell(COMMANDS.take("keys list"))
    shell(COMMANDS.take("keys revoke acme"))
    assert key not in shell(COMMANDS.take("keys generate acme", "--force"))
    suite.down()
    assert "wrote" in shell(COMMANDS.take("keys generate event-bus --force"))
    up(buses(COMMANDS.take("up --bus tcp://0.0.0.0:5550")))
    suite.down()
    up(buses(COMMANDS.take("up --bus", "--bus")))


def test_backups(suite, folder, shell, up):
    def here(line, name="backups"):
        return line.replace("/backups", str(folder / name))

    up(here(COMMANDS.take("up --backup-to")))
    shell(here(COMMANDS.take("martlet backup /backups/monday")))
    every = here(COMMANDS.take("martlet backup /backups --every"), "others")
    with subprocess.Popen(["bash", "-c", f"exec {every}"], env=shell.environment) as taking:
        until(lambda: list((folder / "others").glob("*/backup.json")), 60, "the first one is there")
        taking.send_signal(signal.SIGTERM)
        assert taking.wait(60) == 0
    shell(COMMANDS.take("down --all"))
    assert "restored" in shell(here(COMMANDS.take("restore")))
    up("martlet up")


def test_replicas(suite, up):
    up(COMMANDS.take("up --scale"))
    doors = suite.data / "services"
    until((doors / "trainer-proxy" / "http-3.json").exists, 30, "three replicas of trainer-proxy answer")
    until((doors / "evaluator" / "http-2.json").exists, 30, "two replicas of evaluator answer")


def test_dead_letters(suite, folder, shell):
    database = suite.data / "services" / "deployer" / "state.sqlite"

    def change(statement):
        """What a handler finds in its database is nothing that it can work with: no operator can do that from outside."""
        suite.down()
        with closing(sqlite3.connect(database)) as db, db:
            db.execute(statement)
        suite.up()

    def failed():
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return db.execute("SELECT count(*) FROM parked WHERE attempts > 0").fetchone()[0]

    suite.up()
    change("CREATE TRIGGER refused BEFORE INSERT ON project_file BEGIN SELECT RAISE(ABORT, 'refused for a test'); END")
    for name in ["one", "two"]:
        own = repository.Repository(folder / name)
        jobs = "{ check: { on: { manual: {} }, jobs: { a: { steps: [ { run: 'true' } ] } } } }"
        own.push(martlet__yml=f"martlet: 1\nproject: {name}\npipelines: {jobs}\n")
        suite.command("repo", "add", name, str(own.origin), "--poll", "0.3")
    until(lambda: failed() == 2, 60, "the deployer has failed at both")
    # The last of its tries, without the 12 minutes until then.
    change("UPDATE parked SET attempts = 5, due = 0 WHERE attempts > 0")
    letters = until(lambda: len(found := suite.ask("dlq", "list")["items"]) == 2 and found, 60, "both are given up")
    assert {one["service"] for one in letters} == {"deployer"}
    assert "refused for a test" in shell(COMMANDS.take("dlq list"))
    kept, dropped = (one["id"] for one in letters)
    assert "project.loaded" in shell(COMMANDS.take("dlq show").replace("LETTER", kept))
    retry = COMMANDS.take("dlq retry").replace("LETTER", kept)
    again = subprocess.run(
        ["bash", "-euc", retry], env=shell.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert again.returncode == 1 and "it failed again" in again.stdout + again.stderr, again
    assert "given up" in shell(COMMANDS.take("dlq drop").replace("LETTER", dropped))
    change("DROP TRIGGER refused")
    assert "handled" in shell(retry)
    states = {one["id"]: one["state"] for one in suite.ask("dlq", "list", "--state", "all")["items"]}
    assert states == {kept: "retried", dropped: "dropped"}


def test_traces_are_offered_to_a_collector_that_may_be_away(up):
    up(COMMANDS.take("up --otlp-url"))


def test_every_command_was_run():
    assert COMMANDS.left == []
