"""What an MLflow client does with webhooks, as MLflow's own documentation shows it: `make URL EVENT…`, `work`, or `rest ID URL`.

Run by test_mlflow_webhooks.py with MLFLOW_TRACKING_URI and a token in the environment; prints what it found as JSON.
"""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

client = MlflowClient()


def make(url, *events):
    made = client.create_webhook(name="tell-ci", url=url, events=list(events), description="for CI", secret="s3cret")
    assert str(made.status) in ("ACTIVE", "WebhookStatus.ACTIVE"), made.status
    tried = client.test_webhook(made.webhook_id)
    listed = client.list_webhooks()
    assert [one.webhook_id for one in listed] == [made.webhook_id]
    known = client.get_webhook(made.webhook_id)
    assert (known.name, known.url, known.description) == ("tell-ci", url, "for CI")
    assert len(known.events) == len(events) and not getattr(known, "secret", None)
    return {"id": made.webhook_id, "success": tried.success, "status": tried.response_status}


def work():
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_text("flavors: {}\n")
        mlflow.log_artifacts(folder, "model")
    client.create_registered_model("told", tags={"a": "b"}, description="d")
    version = client.create_model_version("told", f"runs:/{run.info.run_id}/model", run.info.run_id).version
    client.set_model_version_tag("told", version, "k", "v")
    client.delete_model_version_tag("told", version, "k")
    client.set_registered_model_alias("told", "champion", version)
    client.delete_registered_model_alias("told", "champion")
    return {"version": version}


def rest(webhook, url):
    changed = client.update_webhook(webhook, url=url, status="DISABLED")
    assert str(changed.status).endswith("DISABLED"), changed.status
    client.create_registered_model("untold")
    client.delete_webhook(webhook)
    try:
        client.get_webhook(webhook)
    except MlflowException as error:
        return {"gone": error.error_code}
    raise AssertionError("it is still there")


print(json.dumps({"make": make, "work": work, "rest": rest}[sys.argv[1]](*sys.argv[2:])))
