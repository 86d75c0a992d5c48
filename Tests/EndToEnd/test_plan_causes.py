"""`martlet plan` for every kind of cause: what it says of each is a file, whatever becomes of the code."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import ROOT

FIXTURES = ROOT / "Tests" / "Fixtures"
PLANS = FIXTURES / "plans"

REQUEST = {"number": 7, "source": "topic", "target": "main", "author": "kim"}
PATHS = {"paths": ["src/train.py"], "pathsTruncated": False}

# Our own events, other programs' and CDEvents, as somebody writes them down.
WRITTEN = {
    "push": {"type": "change.pushed", "data": {"branch": "main", **PATHS}},
    "push-other-files": {"type": "change.pushed", "data": {"branch": "main", "paths": ["docs/a.txt"]}},
    "tag": {"type": "change.tag_created", "data": {"tag": "v1.0"}},
    "pull-request-opened": {"type": "change.pull_request_opened", "data": {"pullRequest": REQUEST, **PATHS}},
    "pull-request-updated": {"type": "change.pull_request_updated", "data": {"pullRequest": {**REQUEST, "target": "next"}}},
    "pull-request-of-a-fork": {"type": "change.pull_request_opened", "data": {"pullRequest": {**REQUEST, "fork": True}, **PATHS}},
    "pull-request-merged": {"type": "change.pull_request_merged", "data": {"pullRequest": REQUEST}},
    "pull-request-closed": {"type": "change.pull_request_closed", "data": {"pullRequest": REQUEST}},
    "comment": {"type": "change.commented", "data": {"number": 7, "text": "please /build"}},
    "comment-on-an-issue": {"type": "change.commented", "data": {"text": "/build", "inPullRequest": False}},
    "release": {"type": "change.release_published", "data": {"tag": "v1.0", "title": "one"}},
    "branch-created": {"type": "change.branch_created", "data": {"branch": "topic"}},
    "branch-deleted": {"type": "change.branch_deleted", "data": {"branch": "topic"}},
    "manual": {"type": "command.run_requested", "data": {"pipeline": "train", "parameters": {"alpha": 0.3}}},
    "schedule": {"type": "schedule.ticked", "data": {"pipeline": "train"}},
    "pipeline-ended": {"type": "run.finished", "data": {"pipeline": "train", "outcome": "not_promoted"}},
    "model-registered": {"type": "model.registered", "data": {"version": 3}},
    "model-stage": {"type": "model.stage_changed", "data": {"version": 3, "from": "staged", "to": "production"}},
    "model-tagged": {"type": "model.tagged", "data": {"version": 3, "set": {"quality": "bad"}}},
    "model-alias": {"type": "model.alias_changed", "data": {"alias": "champion", "to": 3}},
    "outside-event": {"type": "com.acme.data.arrived", "source": "/acme/lake", "data": {"table": "churn", "rows": 7}},
    "outside-event-filtered": {"type": "com.acme.data.arrived", "data": {"table": "other"}},
    "outside-event-as-told": {
        "specversion": "1.0", "id": "e-1", "source": "/acme/lake", "type": "com.acme.data.arrived", "subject": "churn",
        "time": "2030-01-31T12:00:00Z", "datacontenttype": "application/json", "partitionkey": "churn",
        "correlationid": "e-1", "causationdepth": 0, "actor": "user:kim", "data": {"table": "churn"},
    },
}  # fmt: skip

# What forges and programs deliver, as it was recorded.
DELIVERED = {
    "github-push": ("webhooks/github/push.branch.json", "--forge", "github", "--kind", "push"),
    "github-tag": ("webhooks/github/push.tag-created.json", "--header", "X-GitHub-Event: push"),
    "github-branch-deleted": ("webhooks/github/push.branch-deleted.json", "--forge", "github", "--kind", "push"),
    "github-pull-request": ("webhooks/github/pull_request.opened.json", "--forge", "github", "--kind", "pull_request"),
    "github-pull-request-merged": ("webhooks/github/pull_request.closed.merged.json", "--forge", "github", "--kind", "pull_request"),
    "github-release": ("webhooks/github/release.published.json", "--forge", "github", "--kind", "release"),
    "github-create": ("webhooks/github/create.json", "--forge", "github", "--kind", "create"),
    "gitlab-push": ("webhooks/gitlab/push.json", "--forge", "gitlab"),
    "gitlab-tag": ("webhooks/gitlab/tag_push.json", "--forge", "gitlab"),
    "gitlab-merge-request": ("webhooks/gitlab/merge_request.json", "--forge", "gitlab"),
    "gitlab-release": ("webhooks/gitlab/release.json", "--forge", "gitlab"),
    "gitea-push": ("webhooks/gitea/push-event.json", "--header", "X-GitHub-Event: push", "--header", "X-Gitea-Event: push"),
    "gitea-pull-request": ("webhooks/gitea/pull-request-event.json", "--forge", "gitea", "--kind", "pull_request"),
    "gitea-release": ("webhooks/gitea/release-event.json", "--forge", "gitea", "--kind", "release"),
    "azure-devops-push": ("webhooks/azure-devops/git.push.json", "--forge", "azure-devops"),
    "azure-devops-pull-request": ("webhooks/azure-devops/git.pullrequest.created.json", "--forge", "azure-devops"),
    "azure-devops-merged": ("webhooks/azure-devops/git.pullrequest.merged.json", "--forge", "azure-devops"),
    "cdevent": ("cdevents/artifact_published.json",),
}


@pytest.fixture
def repo(folder):
    path = folder / "churn"
    path.mkdir()
    shutil.copy(PLANS / "martlet.yml", path)
    return path


@pytest.fixture
def plan(binaries, repo):
    def ask(file, *options, fails=False):
        words = [f"{binaries}/martlet", "plan", "--event", str(file), "--repo", str(repo), *options]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert (done.returncode != 0) == fails, done.stderr or done.stdout
        return done.stderr if fails else done.stdout

    return ask


def check(name, said):
    golden = PLANS / f"{name}.txt"
    if os.environ.get("MARTLET_WRITE_FIXTURES"):
        golden.write_text(said)
    assert said == golden.read_text()


@pytest.mark.parametrize("name", WRITTEN)
def test_what_somebody_writes_down(plan, folder, name):
    (folder / "event.json").write_text(json.dumps(WRITTEN[name]))
    check(name, plan(folder / "event.json"))


@pytest.mark.parametrize("name", DELIVERED)
def test_what_was_delivered(plan, name):
    file, *options = DELIVERED[name]
    check(name, plan(FIXTURES / file, *options))


def test_each_plan_that_is_kept_is_of_a_case():
    assert {file.stem for file in PLANS.glob("*.txt")} == {*WRITTEN, *DELIVERED}


def test_a_cloudevent_in_headers(plan, folder):
    (folder / "body.json").write_text('{"table": "churn"}')
    headers = ["ce-specversion: 1.0", "ce-id: e-1", "ce-source: /acme", "ce-type: com.acme.data.arrived"]
    said = plan(folder / "body.json", *(word for line in headers for word in ("--header", line)))
    assert "retrain starts" in said


def git(repo, *words):
    name = ["-c", "user.name=Ada", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(repo), *name, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_delivery_about_a_commit_that_is_there_is_measured_by_git(plan, repo, folder):
    def commit(name):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text("1")
        git(repo, "add", "--all")
        git(repo, "commit", "--quiet", "--message", name)
        return git(repo, "rev-parse", "HEAD")

    git(repo, "init", "--quiet", "--initial-branch=main")
    first = commit("martlet.txt")
    git(repo, "switch", "--quiet", "--create", "topic")
    commit("src/train.py")
    proposed = commit("docs/a.txt")
    git(repo, "switch", "--quiet", "main")
    opened = json.loads((FIXTURES / "webhooks/github/pull_request.opened.json").read_text())
    opened["pull_request"]["head"]["sha"] = proposed
    opened["pull_request"]["base"]["ref"] = "main"
    (folder / "opened.json").write_text(json.dumps(opened))
    said = plan(folder / "opened.json", "--forge", "github", "--kind", "pull_request")
    assert "quality starts: pull request into main changed src/train.py" in said and "not in the folder" not in said
    push = json.loads((FIXTURES / "webhooks/github/push.branch.json").read_text())
    # Compared with where the branch was, not with the commit before.
    push |= {"ref": "refs/heads/main", "before": first, "after": proposed}
    (folder / "push.json").write_text(json.dumps(push))
    assert "train starts: push to main changed src/train.py" in plan(folder / "push.json", "--forge", "github", "--kind", "push")


def test_what_cannot_be_read_is_told(plan, folder):
    github = FIXTURES / "webhooks/github/push.json"
    assert "needs --forge" in plan(github, fails=True)
    assert "add --kind" in plan(github, "--forge", "github", fails=True)
    assert "'bitbucket' is no forge" in plan(github, "--forge", "bitbucket", fails=True)
    assert "object_kind: a text is expected here" in plan(github, "--forge", "gitlab", fails=True)
    assert "leave --kind out" in plan(github, "--forge", "gitlab", "--kind", "push", fails=True)
    assert "add --forge" in plan(github, "--kind", "push", fails=True)
    assert "is no header" in plan(github, "--header", "push", fails=True)

    def wrong(event):
        (folder / "event.json").write_text(json.dumps(event))
        return plan(folder / "event.json", fails=True)

    assert "'tag' is missing" in wrong({"type": "change.tag_created"})
    assert "'text' is missing" in wrong({"type": "change.commented"})
    assert "'pullRequest.number'" in wrong({"type": "change.pull_request_opened", "data": {"pullRequest": {"number": "x"}}})
    assert "has no 'path'" in wrong({"type": "change.pushed", "data": {"path": ["src/a.py"]}})
    assert "'approval.requested' cannot be planned with; these can: change.pushed," in wrong({"type": "approval.requested"})
    assert "are not kept" in wrong({"type": "com.acme.x", "Priority": "high"})
