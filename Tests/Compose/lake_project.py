"""A project that trains when an event from outside says so, and tells the registry what it measured."""

PROJECT = """\
martlet: 1
project: lake
model: { champion: latest }
pipelines:
  check:
    on: { push: { branches: [main] } }
    jobs: { only: { steps: [ { run: "true" } ] } }
  train:
    on: { event: { type: com.acme.data.arrived.v1, where: { data.table: churn } } }
    jobs:
      only:
        steps:
          - { uses: train/run, with: { command: "python3 train.py ${{ event.data.rows }}" } }
"""

# MLflow's REST API as its client speaks it; the client itself is tried in Tests/EndToEnd.
TRAIN = """\
import json, os, sys, time, urllib.request

def call(path, **body):
    token = os.environ["MLFLOW_TRACKING_TOKEN"]
    request = urllib.request.Request(
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/{path}", json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)

now = int(time.time() * 1000)
experiment = call("experiments/create", name=os.environ["MLFLOW_EXPERIMENT_NAME"])["experiment_id"]
run = call("runs/create", experiment_id=experiment, start_time=now)["run"]["info"]["run_id"]
call("runs/log-metric", run_id=run, key="rows", value=float(sys.argv[1]), timestamp=now)
call("runs/update", run_id=run, status="FINISHED", end_time=now)
"""
