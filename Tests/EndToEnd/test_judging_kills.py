"""`kill -9` while data sets are registered, models scored afresh, decided about and promoted: all happens, once."""

import pytest
from processes import kill
from waiting import until

PROJECT = """\
martlet: 1
project: judged
model: { champion: stage=production, stages: { preset: trunk }, requires: [commit, dataset], score: "python3 score.py" }
pipelines:
  train:
    on: { push: { branches: [main] } }
    jobs:
      train:
        steps:
          - { uses: dataset/ensure, with: { files: 'data/*/dataset.yml' } }
          - { uses: env/ensure, with: { files: environment.yml } }
          - { id: train, uses: train/run, with: { command: "python3 train.py", dataset: labels } }
          - id: compare
            uses: evaluate/compare
            with: { challenger: { run: "${{ steps.train.run_id }}" }, against: { dataset: labels }, metric: accuracy, better: higher, significance: mcnemar }
          - { id: register, uses: registry/register, with: { run: "${{ steps.train.run_id }}" } }
          - { uses: registry/transition, with: { version: "${{ steps.register.version }}", to: production, decision: "${{ steps.compare.decision }}" } }
"""

TRAIN = """\
import os, pathlib
model = pathlib.Path(os.environ["MARTLET_OUTPUT"]) / "model"
model.mkdir(parents=True)
(model / "right").write_text(pathlib.Path("right.txt").read_text())
"""

# Of so many rows a "model" knows so many; it takes long enough to be killed in the middle.
SCORE = """\
import os, pathlib, time
folder = pathlib.Path(os.environ["WATCHED"])
with open(folder / "scored", "a") as file:
    file.write(os.environ["MARTLET_ROLE"] + "\\n")
right = int((pathlib.Path(os.environ["MARTLET_MODEL"]) / "right").read_text())
time.sleep(0.5)
labels = pathlib.Path(os.environ["MARTLET_DATASET"]).read_text().split()
rows = [f"{label},{label if row < right else 0}" for row, label in enumerate(labels)]
out = pathlib.Path(os.environ["MARTLET_OUTPUT"]) / "predictions.csv"
out.write_text("\\n".join(["label,prediction", *rows]))
"""

STAGES = ["dataset.registered", "training.started", "scoring", "evaluation.decided", "model.registered", "model.stage_changed"]


@pytest.mark.parametrize("service", ["trainer-proxy", "evaluator", "registry-service"])
def test_a_killed_service_changes_no_judgement(service, suite, events, repo, folder):
    suite.command("repo", "add", "judged", str(repo.origin), "--poll", "0.3")
    for number, stage in enumerate(STAGES, start=1):
        until(suite.is_ready, 60, "everything is ready")
        since = events.mark()
        known = len(scored(folder))
        push(repo, folder, number)
        if stage == "scoring":
            until(lambda: len(scored(folder)) > known, 60, "scoring has begun")
        else:
            events.wait(stage, 60, since)
        kill(suite, service)
        ended = events.wait("run.finished", 90, since)["data"]
        assert ended["outcome"] == "succeeded", f"{service} killed at {stage}: {ended}"
        for name in ["training.finished", "evaluation.decided", "model.registered", "model.stage_changed"]:
            # Of other logs than the end: they may be heard a moment later.
            events.wait(name, 30, since)
            assert len(events.find(name, since)) == 1, f"{service} killed at {stage}: {name}"
    assert len(events.find("dataset.registered")) == len(events.find("environment.registered")) == 1
    # The first had no champion; every other run scored both, and neither twice.
    assert sorted(scored(folder)) == ["challenger"] * len(STAGES) + ["champion"] * (len(STAGES) - 1)
    assert not events.find("evaluation.voided")
    checked = suite.ask("models", "verify")["items"]
    assert [row["result"] for row in checked] == ["intact"]
    until(lambda: not any((suite.data / "work" / "tests").iterdir()), 30, "the folders of scorings are gone")


def scored(folder):
    path = folder / "scored"
    return path.read_text().split() if path.exists() else []


def push(repo, folder, number, project=PROJECT, score=SCORE):
    files = repo.clone / "data" / "labels" / "sample"
    files.mkdir(parents=True, exist_ok=True)
    (files / "labels.txt").write_text("1\n" * 200)
    (files.parent / "dataset.yml").write_text("name: labels\n")
    # The folder is watched from outside: a variable of the pipeline tells the command where it is.
    project = project.replace("    on:", f'    env: {{ WATCHED: "{folder}" }}\n    on:', 1)
    repo.push(
        f"knows {20 * number}",
        martlet__yml=project,
        train__py=TRAIN,
        score__py=score,
        right__txt=str(20 * number),
        environment__yml="name: plain\nversion: 1\n",
    )
