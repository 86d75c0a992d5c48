"""What docs/operating.md tells operators to say is said, in the order of its story; containers have Tests/Compose."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
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
    suite.down()
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


def test_traces_are_offered_to_a_collector_that_may_be_away(up):
    up(COMMANDS.take("up --otlp-url"))


def test_every_command_was_run():
    assert COMMANDS.left == []
