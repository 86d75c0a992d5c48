"""A project whose whole loop takes seconds: trained, judged, registered, promoted, deployed and tested."""

PROJECT = """\
martlet: 1
project: loop
model: { champion: stage=production, stages: { preset: trunk } }
targets:
  loop-api: { kind: process, command: "python3 serve.py", health: /healthz, score: /score }
pipelines:
  train:
    on: { push: { branches: [main] } }
    jobs:
      all:
        steps:
          - { id: train, uses: train/run, with: { command: "python3 train.py" } }
          - { id: judge, uses: evaluate/compare, with: { challenger: { run: "${{ steps.train.run_id }}" }, metric: score, better: higher } }
          - { id: register, uses: registry/register, with: { run: "${{ steps.train.run_id }}" } }
          - { uses: registry/transition, with: { version: "${{ steps.register.version }}", to: production, decision: "${{ steps.judge.decision }}" } }
          - { uses: deploy/model, with: { target: loop-api, version: "${{ steps.register.version }}" } }
          - { uses: deploy/smoke-test, with: { target: loop-api, request: {}, expect: { status: 200, json: { works: true } }, on_fail: rollback } }
"""

TRAIN = """\
import json, os, pathlib
score = json.loads(pathlib.Path("score.json").read_text())
out = pathlib.Path(os.environ["MARTLET_OUTPUT"])
(out / "model").mkdir(parents=True, exist_ok=True)
(out / "model" / "model.json").write_text(json.dumps({"score": score}))
(out / "metrics.json").write_text(json.dumps({"score": score}))
"""


def files(number):
    """The project with a model that is better the higher its number is."""
    from repository import SERVE

    return {"martlet__yml": PROJECT, "train__py": TRAIN, "serve__py": SERVE, "score__json": str(number)}
