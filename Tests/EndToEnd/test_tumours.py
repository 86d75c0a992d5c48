"""The classification example: data sets, a named environment, fresh scoring, McNemar, slices, decisions that hold."""

import json
import re
import shutil
import textwrap

from conftest import ROOT
from suite import Failed
from test_mlflow import ask
from waiting import until

ALL = {"C": 1.0}

SHOWN = """\
martlet: 1
project: shown
model: { stages: { preset: trunk } }
targets: { api: { kind: process, command: serve } }
pipelines:
  shown:
    on: { manual: {} }
    jobs:
      shown:
        steps:
          - { id: train, uses: train/run, with: { command: "true" } }
"""


def push(repo, parameters):
    shutil.copytree(ROOT / "Examples" / "tumours", repo.clone, dirs_exist_ok=True)
    return repo.push(f"parameters {parameters}", parameters__json=json.dumps(parameters))


def judged(suite, events, repo, parameters):
    """The run's end, and what was decided."""
    since = events.mark()
    push(repo, parameters)
    ended = events.wait("run.finished", 240, since)["data"]
    # Of another log than the end: it may be heard a moment later.
    return ended, events.wait("evaluation.decided", 30, since)["data"]


def test_a_classifier_is_judged_by_more_than_one_number(suite, events, repo):
    suite.command("repo", "add", "tumours", str(repo.origin), "--poll", "0.3")
    ended, first = judged(suite, events, repo, {"C": 1.0, "features": ["mean texture"]})
    assert ended["outcome"] == "succeeded", ended
    assert first["reason"] == "no_champion" and first["dataset"]["name"] == "holdout"
    assert 0.65 < first["challenger"]["value"] < 0.75

    ended, chance = judged(suite, events, repo, {"C": 0.5, "features": ["mean texture"]})
    assert ended["outcome"] == "not_promoted", ended
    assert chance["reason"] == "not_significant"
    assert chance["challenger"]["value"] > chance["champion"]["value"]
    assert "Unable to conclude if challenger is better than champion." in chance["message"]

    bypass_and_retry(suite, events)

    ended, better = judged(suite, events, repo, ALL)
    assert ended["outcome"] == "succeeded", ended
    assert better["winner"] == "challenger" and better["champion"]["version"] == 2
    gates = {gate["name"]: gate for gate in better["gates"]}
    assert set(gates) == {"accuracy", "mcnemar", "size=large", "size=small"}
    assert gates["mcnemar"]["pvalue"] < 0.001 and gates["mcnemar"]["rows"] == 285

    registered = events.wait("model.registered", 30, version=3)["data"]
    assert registered["dataset"] == {**registered["dataset"], "name": "training", "version": 1}
    assert registered["environmentVersion"]["name"] == "tumours" and registered["tests"] == "passed"
    # The console hears of it a moment after we do.
    wanted = {1: "surpassed", 2: "surpassed", 3: "production"}
    until(lambda: stages(suite) == wanted, 30, f"the stages are {wanted}")
    history(suite, events)
    compared(suite, events, better)


def compared(suite, events, decided):
    """S4-12: both numbers are a run in the deployment experiment, where people look for them."""
    own = {"Authorization": f"Bearer {(suite.data / 'tokens' / 'admin').read_text().strip()}"}
    root = "/api/2.0/mlflow"
    found = ask(suite, "GET", f"{root}/experiments/get-by-name?experiment_name=tumours-deployment", **own)[1]
    wish = {"experiment_ids": [found["experiment"]["experiment_id"]]}
    runs = ask(suite, "POST", f"{root}/runs/search", wish, **own)[1]["runs"]
    assert {run["info"]["run_name"] for run in runs} == {"challenger_vs_production"}
    assert len(runs) == len([e for e in events.find("evaluation.decided") if e["data"].get("logged")]) > 2
    numbers = [{m["key"]: m["value"] for m in run["data"]["metrics"]} for run in runs]
    assert {
        "new_accuracy": decided["challenger"]["value"],
        "production_accuracy": decided["champion"]["value"],
    } in numbers, numbers


def stages(suite):
    return {row["version"]: row["stage"] for row in suite.ask("models", "show", "tumours")["items"]}


def bypass_and_retry(suite, events):
    """A person lets the second pass: never without a reason, never silently, and the run then goes on."""
    run = events.find("run.finished")[-1]["data"]["run"]
    approver = suite.ask("tokens", "create", "--role", "approver", "--name", "grace")["token"]
    operator = suite.ask("tokens", "create", "--role", "operator", "--name", "olaf")["token"]
    for words, token in [(["--reason", " "], approver), (["--reason", "it is quick"], operator)]:
        try:
            suite.command("runs", "bypass", run, *words, token=token)
        except Failed:
            continue
        raise AssertionError(f"{words} was taken")
    since = events.mark()
    suite.command("runs", "bypass", run, "--reason", "the old one cannot read the new file", token=approver)
    assert events.wait("evaluation.bypassed", 30, since)["data"]["by"] == "user:grace"
    suite.command("runs", "retry", run)
    assert events.wait("run.finished", 240, since)["data"]["outcome"] == "succeeded"
    decided = events.wait("evaluation.decided", 30, since)["data"]
    assert decided["reason"] == "bypassed" and decided["bypass"]["reason"] == "the old one cannot read the new file"
    until(lambda: "Bypassed by user:grace" in suite.command("runs", "show", run), 30, "the run says who let it pass")


def history(suite, events):
    """Who was in production when, and whether anybody altered that."""
    moved = [event for event in events.find("model.stage_changed") if event["data"]["to"] == "production"]
    for event, version in zip(moved, [1, 2, 3]):
        then = suite.ask("models", "at", "tumours", "--time", event["time"])["items"]
        assert [row["version"] for row in then if row["stage"] == "production"] == [version]
    assert len(suite.ask("models", "history", "tumours")["items"]) == 5
    checked = suite.ask("models", "verify")["items"]
    assert [(row["model"], row["result"]) for row in checked] == [("tumours", "intact")]


def test_what_the_page_of_steps_shows_and_the_example_are_valid(suite, folder):
    page = (ROOT / "docs" / "steps.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        path = folder / f"shown-{number}"
        path.mkdir()
        (path / "martlet.yml").write_text(SHOWN + textwrap.indent(block, " " * 10))
        assert "shown is valid" in suite.command("validate", str(path))
    assert "tumours is valid" in suite.command("validate", str(ROOT / "Examples" / "tumours"))
