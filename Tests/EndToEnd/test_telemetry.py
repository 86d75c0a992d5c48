"""What is told in passing: seen by whoever looks, never in the way of what counts."""

import json
import re
import subprocess
import sys
import threading
import urllib.request

import pytest
from conftest import ROOT
from processes import kill
from waiting import until

KIT = ROOT / "Examples" / "integrations" / "README.md"


class Output:
    """What a command prints while it runs."""

    def __init__(self, suite, *words):
        self.lines = []
        self.process = subprocess.Popen(
            words, env=suite.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def wait(self, fact, text):
        return until(lambda: next((line for line in list(self.lines) if fact(line)), None), 60, text)


@pytest.fixture
def output(suite):
    running = []

    def start(*words):
        running.append(Output(suite, *words))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait(30)


@pytest.fixture
def tail(suite, events, output):
    """A tail with telemetry that hears already: telemetry that was told before is gone."""
    one = output(suite.martlet, "events", "tail", "--telemetry", "--json")
    outsider(output)
    one.wait(lambda line: '"t/acme/gpu"' in line, "the tail hears telemetry")
    return one


def outsider(output):
    """The README's example, as it stands there."""
    (program,) = re.findall(r"```python\n(.*?)```", KIT.read_text(), re.DOTALL)
    return output(sys.executable, "-c", program)


def told(line, name):
    message = json.loads(line)
    return message["data"] if message.get("telemetry", "").endswith(f"/{name}") else None


def test_an_outsider_without_a_library_is_heard(tail):
    line = tail.wait(lambda line: told(line, "gpu"), "two frames of an outsider")
    message = json.loads(line)
    assert (message["client"], message["type"], message["data"]) == ("acme", "gpu", {"utilization": 0.93})


def test_the_lines_and_the_progress_of_a_running_step_are_told(suite, tail, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo the first line; sleep 600" }')
    line = tail.wait(lambda line: told(line, "step.log"), "a line of the step")
    log = told(line, "step.log")
    assert log["lines"] == ["the first line"] and log["omitted"] == 0 and log["step"]["verb"] == "run"
    progress = told(tail.wait(lambda line: told(line, "step.progress"), "progress"), "step.progress")
    assert progress["step"] == log["step"] and progress["seconds"] > 0 and progress["logBytes"] == 15
    suite.command("runs", "cancel", log["step"]["run"])
    events.wait("run.finished", 60)


def test_secrets_are_masked_in_telemetry_too(suite, tail, events, repo):
    (suite.data / "secrets" / "WORD").write_text("abracadabra")
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo says $WORD", env: { WORD: "${{ secrets.WORD }}" } }')
    events.wait("run.finished", 60)
    tail.wait(lambda line: told(line, "step.log"), "a line of the step")
    assert not [line for line in tail.lines if "abracadabra" in line]
    assert [line for line in tail.lines if "says ***" in line]


def test_a_step_that_writes_without_end_floods_nobody(suite, tail, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "seq 1 300000; echo the end" }')
    ended = events.wait("run.finished", 120)["data"]
    assert ended["outcome"] == "succeeded"
    logs = suite.command("runs", "logs", ended["run"]).splitlines()
    assert logs[-1] == "the end" and logs[1:300001] == [str(number) for number in range(1, 300001)]
    last = tail.wait(lambda line: "the end" in (told(line, "step.log") or {"lines": []})["lines"], "the last line")
    messages = [told(line, "step.log") for line in tail.lines if told(line, "step.log")]
    seen = sum(len(message["lines"]) for message in messages)
    # Nothing is left out without a word.
    assert seen + sum(message["omitted"] for message in messages) == 300001
    assert seen < 300001 and len(last) < 65536
    metrics = service_metrics(suite, "trainer-proxy")
    assert float(re.search(r"^martlet_telemetry_lines_omitted_total (.*)$", metrics, re.MULTILINE)[1]) > 0


def service_metrics(suite, service):
    address = json.loads((suite.data / "services" / service / "http.json").read_text())
    with urllib.request.urlopen(f"http://{address['host']}:{address['port']}/metrics", timeout=30) as answer:
        return answer.read().decode()


def test_following_a_log_shows_all_of_it_also_without_the_bus(suite, events, repo, output):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo one; while [ ! -e \\"$GATE\\" ]; do sleep 0.1; done; echo two", env: { GATE: "' + str(suite.data / "gate") + '" } }')
    run = events.wait("step.started", 60)["data"]["run"]
    follower = output(suite.martlet, "runs", "logs", "--follow", run)
    follower.wait(lambda line: line == "one\n", "the first line while the step runs")
    kill(suite, "event-bus")
    (suite.data / "gate").touch()
    follower.wait(lambda line: line == "two\n", "the last line")
    assert follower.process.wait(60) == 0
    assert [line for line in follower.lines if line in ("one\n", "two\n")] == ["one\n", "two\n"]
