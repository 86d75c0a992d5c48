"""What services print: lines that machines read, without what nobody shall read."""

import json

from processes import refused
from suite import Events
from test_metrics import SERVICES


def test_logs_are_json_with_run_and_step_and_no_secret(suite, repo):
    (suite.data / "secrets" / "WORD").write_text("open-sesame")
    suite.up()
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo $WORD", env: { WORD: "${{ secrets.WORD }}" } }')
    ended = events.wait("run.finished", 60)
    events.stop()
    lines = []
    for service in SERVICES:
        for line in (suite.data / "services" / service / "log").read_text().splitlines():
            lines.append(json.loads(line))
            assert lines[-1]["service"] == service
    for line in lines:
        assert {"time", "level", "service", "message"} <= line.keys(), line
    assert "open-sesame" not in json.dumps(lines)
    about = [line for line in lines if line.get("run") == ended["data"]["run"]]
    assert [line["step"] for line in about if "step" in line], "what is said while a step is worked on names it"


def test_logs_are_text_where_that_is_wanted(suite):
    suite.environment["MARTLET_LOG_FORMAT"] = "text"
    suite.up()
    first = (suite.data / "services" / "event-bus" / "log").read_text().splitlines()[0]
    assert not first.startswith("{") and " info event-bus: the bus is open address=" in first


def test_a_form_that_does_not_exist_is_refused(suite):
    suite.environment["MARTLET_LOG_FORMAT"] = "xml"
    said = refused(suite, *suite.up_words())
    assert "MARTLET_LOG_FORMAT" in said and "'xml' is neither text nor json" in said
    assert not suite.is_ready()
