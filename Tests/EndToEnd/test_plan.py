"""`martlet plan`: what would start and why, offline, by the service's own code."""

import json
import subprocess

import pytest

PROJECT = """\
martlet: 1
project: churn
model: { stages: { preset: trunk } }
environments: { prod: { approvals: { required: 1 } } }
pipelines:
  train:
    on: { push: { branches: [main], paths: [src/] }, schedule: '0 3 * * *', manual: {} }
    parameters: { alpha: { type: number, default: 0.5 } }
    jobs:
      fit: { matrix: { size: [small, large] }, steps: [ { uses: train/run, with: { command: x } } ] }
      judge: { needs: fit, steps: [ { run: judge } ] }
  lost:
    on: { pipeline: { name: train, conclusion: not_promoted } }
    jobs: { j: { steps: [ { run: x } ] } }
  ship:
    on: { pipeline: train, model: { stage: { to: staged } } }
    environment: prod
    concurrency: { group: ship, on_conflict: skip }
    jobs: { j: { steps: [ { run: x } ] } }
"""


@pytest.fixture
def plan(binaries, folder):
    """Several events as the command would get them; no suite is there."""
    repo = folder / "churn"
    repo.mkdir()
    (repo / "martlet.yml").write_text(PROJECT)

    def ask(*events, options=(), fails=False):
        file = folder / "events.jsonl"
        file.write_text("\n".join(json.dumps(event) for event in events))
        words = [f"{binaries}/martlet", "plan", "--event", str(file), "--repo", str(repo), *options]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 1) == fails, done.stderr or done.stdout
        return done.stderr if fails else done.stdout

    ask.repo = repo
    return ask


def started(answer):
    return [one["pipeline"] for one in answer["pipelines"] if one["starts"]]


def test_each_pipeline_has_its_verdict_and_its_plan(plan):
    push = {"type": "change.pushed", "data": {"branch": "main", "paths": ["src/a.py"]}}
    [answer] = json.loads(plan(push, options=["--json"]))["events"]
    train, lost, ship = answer["pipelines"]
    assert train["starts"] and train["reason"] == "push to main changed src/a.py"
    assert train["parameters"] == {"alpha": 0.5}
    assert [job["id"] for job in train["plan"]["jobs"]] == ["fit.small", "fit.large", "judge"]
    assert train["plan"]["jobs"][2]["needs"] == ["fit.small", "fit.large"]
    assert lost["code"] == ship["code"] == "no_trigger"
    said = plan(push)
    assert "train starts: push to main changed src/a.py" in said and "ship does not start (no_trigger)" in said


def test_a_list_of_events_is_played_in_order(plan):
    events = [
        {"type": "change.pushed", "id": "a", "data": {"branch": "topic", "paths": ["src/a.py"]}},
        {"type": "run.finished", "data": {"pipeline": "train", "outcome": "not_promoted"}},
        {"type": "run.finished", "data": {"pipeline": "train", "outcome": "succeeded"}},
        {"type": "model.stage_changed", "data": {"to": "staged"}},
        {"type": "schedule.ticked", "data": {"pipeline": "train"}},
        {"type": "command.run_requested", "data": {"pipeline": "train", "parameters": {"alpha": "many"}}},
        {"type": "change.pushed", "id": "a", "data": {"branch": "main", "paths": ["src/a.py"]}},
    ]
    answers = json.loads(plan(*events, options=["--json"]))["events"]
    assert [started(answer) for answer in answers[:5]] == [[], ["lost"], ["ship"], ["ship"], ["train"]]
    assert answers[0]["pipelines"][0]["code"] == "branch_filter"
    assert answers[5]["pipelines"][0]["code"] == "parameters"
    assert answers[6]["repeated"]


SEVERAL = """\
martlet: 1
project: churn
pipelines:
  retrain:
    on:
      all:
        of:
          data: { event: { type: com.acme.data } }
          labels: { event: { type: com.acme.labels } }
        by: ${{ event.data.batch }}
    jobs: { j: { steps: [ { run: x } ] } }
"""


def test_of_several_events_it_is_told_which_are_still_missing(plan):
    (plan.repo / "martlet.yml").write_text(SEVERAL)
    events = [
        {"type": "com.acme.data", "data": {"batch": "a"}},
        {"type": "com.acme.labels", "data": {"batch": "b"}},
        {"type": "com.acme.labels", "data": {"batch": "a"}},
    ]
    answers = json.loads(plan(*events, options=["--json"]))["events"]
    assert [started(answer) for answer in answers] == [[], [], ["retrain"]]
    first = answers[0]["pipelines"][0]
    assert first["code"] == "waiting" and "of 'a'; labels is still missing" in first["reason"]
    assert "retrain does not start (waiting)" in plan(events[0])


OPERATED = """\
martlet: 1
project: churn
variable_groups: [shared]
secrets: [PASSWORD]
variables: { region: local }
pipelines:
  train:
    on: { push: {}, pull_request: {} }
    parameters: { table: { default: "${{ vars.TABLE }}" }, region: { default: "${{ vars.region }}" } }
    jobs: { j: { steps: [ { run: 'echo ${{ vars.TABLE }}' } ] } }
"""


def test_an_operators_variables_are_handed_in(plan, folder):
    (plan.repo / "martlet.yml").write_text(OPERATED)
    groups = folder / "variables"
    groups.mkdir()
    (groups / "shared.env").write_text("TABLE=churn\nPASSWORD=x\n")
    (groups / "other.env").write_text("TABLE=other\n")

    def parameters(event, *options):
        [answer] = json.loads(plan(event, options=["--json", *options]))["events"]
        return answer["pipelines"][0].get("parameters") or answer["pipelines"][0]["reason"]

    push = {"type": "change.pushed"}
    assert parameters(push) == "no value for vars.TABLE; there is no group shared among the files of --vars"
    assert parameters(push, "--vars", str(groups)) == {"table": "churn", "region": "local"}
    given = ["--vars", str(groups / "shared.env"), "--var", "region=eu=1", "--var", "TABLE=mine"]
    assert parameters(push, *given) == {"table": "mine", "region": "eu=1"}
    # A stranger's file has what the file of the default branch names.
    fork = {"type": "change.pull_request_opened", "data": {"pullRequest": {"fork": True}}}
    assert parameters(fork, "--vars", str(groups), "--var", "region=eu") == {"table": "churn", "region": "eu"}
    # And none of it runs where nobody has let forks.
    [answer] = json.loads(plan(fork, options=["--json"]))["events"]
    assert answer["untrusted"] and "martlet repo add --forks" in answer["note"]


def test_variables_that_cannot_be_read_are_all_told(plan, folder):
    (plan.repo / "martlet.yml").write_text(OPERATED)
    (folder / "shared.env").write_text("TABLE=churn\nno value\n1A=x\n")
    said = plan({"type": "change.pushed"}, options=["--vars", str(folder / "shared.env"), "--var", "region", "--vars", "gone.env"], fails=True)
    for words in ("--var 'region': a line is NAME=VALUE", "shared.env:2:1: ", "shared.env:3:1: ", "there is no file 'gone.env'"):
        assert words in said
    (folder / "other.env").write_text("A=1\n")
    said = plan({"type": "change.pushed"}, options=["--vars", str(folder / "other.env")], fails=True)
    assert "'other' is no group" in said and "it names shared" in said


def test_an_assumed_end_leads_on(plan):
    push = {"type": "change.pushed", "data": {"branch": "main", "paths": ["src/a.py"]}}
    answers = json.loads(plan(push, options=["--json", "--ending", "succeeded"]))["events"]
    assert [started(answer) for answer in answers] == [["train"], ["ship"], []]
    answers = json.loads(plan(push, options=["--json", "--ending", "not_promoted"]))["events"]
    assert [started(answer) for answer in answers] == [["train"], ["lost"], []]


def test_a_commit_counts_as_it_is_in_git(plan):
    git = ["git", "-C", str(plan.repo), "-c", "user.name=Ada", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(plan.repo)], check=True)
    (plan.repo / "src").mkdir()
    (plan.repo / "src" / "a.py").write_text("1")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    (plan.repo / "README.md").write_text("1")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "second"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    first = subprocess.run([*git, "rev-parse", "HEAD^"], check=True, capture_output=True, text=True).stdout.strip()
    (plan.repo / "martlet.yml").write_text("broken: [")
    events = [{"type": "change.pushed", "data": {"sha": sha}} for sha in (first[:12], head)]
    one, two = json.loads(plan(*events, options=["--json"]))["events"]
    assert started(one) == ["train"] and one["event"]["sha"] == first
    assert started(two) == [] and two["pipelines"][0]["code"] == "path_filter"
    assert "the project file has errors" in plan({"type": "change.pushed"}, fails=True)


def test_what_cannot_be_planned_is_told(plan):
    assert "has no 'type'" in plan({"data": {}}, fails=True)
    assert "cannot be planned with; these can:" in plan({"type": "approval.requested"}, fails=True)
    assert "needs 'pipeline': one of train, lost, ship" in plan({"type": "run.finished"}, fails=True)
    assert "no run ends 'well'" in plan({"type": "change.pushed"}, options=["--ending", "well"], fails=True)
