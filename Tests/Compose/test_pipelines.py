"""What pipelines find in containers: the registry for what training measures, and events from outside as causes."""

import json

from waiting import until

def test_an_event_from_outside_starts_a_run_whose_training_logs_into_the_registry(up, outsider, lake):
    kind = "com.acme.data.arrived.v1"
    until(lambda: (outsider.publish(kind, {"table": "other"}) or [0])[0] == 200, 30, "published")
    assert outsider.publish(kind, {"table": "churn", "rows": 7}, event_id="lake-7")[0] == 200
    # The same event again is the same cause.
    assert outsider.publish(kind, {"table": "churn", "rows": 7}, event_id="lake-7")[0] == 200
    run = until(
        lambda: next((run for run in lake.finished() if run["pipeline"] == "train"), None), 90, "the event's run"
    )
    assert run["outcome"] == "succeeded", up.martlet("runs", "show", run["id"])
    lines = up.martlet(
        "events", "tail", "--bus", up.bus, "--key-file", outsider.keys / "acme.key", "--since", "start",
        "--run", run["id"], "--type", "training.finished", "--limit", "1", "--json",
    )  # fmt: skip
    assert json.loads(lines)["event"]["data"]["metrics"] == {"rows": 7}
    assert len([run for run in lake.runs() if run["pipeline"] == "train"]) == 1
