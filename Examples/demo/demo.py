#!/usr/bin/env python3
"""Four pushes of a real ML repository: won, lost, replaced, rolled back. Exit code 0 only if all of it was observed."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from narrator import Narrator
from others import OTHER, PATIENT, Client, Slack, score
from suite import Attached, Events, Failed, Suite

EXAMPLE = Path(__file__).resolve().parent.parent / "diabetes"
CI, CD = "Model-Train-Register-CI", "Model-Deploy-CD"
NOT_REGISTERED = "Model was not registered for this run."
# The first run builds a Python environment; the others take seconds.
FIRST, LATER = 900, 180
# A plausible mistake: the form sends one patient, and so do the unit tests.
MISTAKE = ("for value in model.predict(rows)]", "for value in model.predict(rows[:1])]")


def check(fact, text):
    if not fact:
        raise Failed(f"not as promised: {text}")


class Repository:
    """A developer's clone and the repository that it is pushed to."""

    def __init__(self, folder):
        self.origin, self.clone = folder / "diabetes.git", folder / "clone"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.origin], check=True)
        shutil.copytree(
            EXAMPLE, self.clone, ignore=shutil.ignore_patterns(".*cache", "__pycache__", ".venv", "outputs")
        )
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", self.clone], check=True)
        self.git("remote", "add", "origin", str(self.origin))

    def git(self, *words):
        name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", "-C", self.clone, *name, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def push(self, message, alpha):
        path = self.clone / "parameters.json"
        parameters = json.loads(path.read_text())
        parameters["training"]["alpha"] = alpha
        path.write_text(json.dumps(parameters, indent=2) + "\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def break_scoring(self):
        path = self.clone / "diabetes" / "score.py"
        text = path.read_text()
        check(MISTAKE[0] in text, "the demo's mistake fits the example's score.py")
        path.write_text(text.replace(*MISTAKE))


class Demo:
    def __init__(self, suite, slack, folder, narrator):
        self.suite, self.slack, self.narrator = suite, slack, narrator
        self.repository = Repository(folder)
        self.events = Events(suite, narrator.event)
        self.approver = suite.ask("tokens", "create", "--role", "approver", "--name", "grace")["token"]

    def run(self):
        self.suite.command("repo", "add", "diabetes", str(self.repository.origin), "--poll", "0.5")
        self.first_wins()
        self.worse_loses()
        self.better_replaces()
        self.broken_is_rolled_back()
        self.told()
        self.summary()

    # MARK: chapters

    def first_wins(self):
        self.narrator.chapter("1. The first model: alpha 1.0")
        since = self.push("First model", 1.0)
        decided = self.wait("evaluation.decided", FIRST, since)
        check(decided["data"]["reason"] == "no_champion", "without a champion the first model wins")
        self.deployed(since, version=1, replaced=[])
        self.narrator.observed(
            "version 1 won, was approved by another person, deployed, smoke-tested, and is production"
        )

    def worse_loses(self):
        self.narrator.chapter("2. Worse hyper-parameters: alpha 10")
        since = self.push("Try a strong penalty", 10.0)
        decided = self.wait("evaluation.decided", LATER, since)["data"]
        check(decided["winner"] == "champion", "the worse model loses")
        numbers = [decided["champion"]["value"], decided["challenger"]["value"]]
        check(numbers[0] < numbers[1], f"the challenger's mse is higher: {numbers}")
        ended = self.events.wait("run.finished", LATER, since, pipeline=CI)["data"]
        check(ended["outcome"] == "not_promoted", f"{CI} ends not_promoted, not {ended['outcome']}")
        report = self.events.wait("step.finished", 10, since, job="report", step="found")["data"]
        check(report["message"] == NOT_REGISTERED, f"the report says {NOT_REGISTERED!r}, not {report['message']!r}")
        for number in numbers:
            check(f"{number:.2f}"[:-1] in decided["message"], f"the message holds {number:.2f}: {decided['message']}")
        ignored = self.events.wait(
            "trigger.ignored", 30, since, pipeline=CD, cause=self.id_of("run.finished", since, CI)
        )
        check(not self.events.find("model.registered", since), "nothing was registered")
        self.narrator.observed(f"not_promoted: mse {numbers[1]:.2f} against {numbers[0]:.2f}. {NOT_REGISTERED}")
        self.narrator.observed(f"{CD} did not start: {ignored['data']['reason']}")

    def better_replaces(self):
        self.narrator.chapter("3. A better model, while a client keeps scoring: alpha 0.5")
        client = Client(self.endpoint()["url"] + "/score")
        try:
            since = self.push("Less penalty", 0.5)
            self.deployed(since, version=2, replaced=[{"version": 1, "from": "production", "to": "surpassed"}])
            before = client.requests
            self.until(lambda: client.requests > before + 20, 30, "the client goes on after the change")
        finally:
            client.stop()
        check(not client.failures, f"no request failed, but {len(client.failures)} did: {client.failures[:3]}")
        check(len(client.answers) == 2, f"the client saw version 1's scores, then version 2's: {client.answers}")
        self.narrator.observed("version 2 is production, version 1 is surpassed")
        self.narrator.observed(f"{client.requests} requests meanwhile, 0 failed; the scores changed once")

    def broken_is_rolled_back(self):
        self.narrator.chapter("4. A broken scoring script: alpha 0.4")
        before = self.endpoint(), self.stages()
        self.repository.break_scoring()
        since = self.push("Score faster", 0.4)
        self.approve(since)
        tested = self.events.wait("smoke_test.finished", LATER, since, version=3)["data"]
        check(tested["outcome"] == "failed", "the smoke test fails")
        back = self.events.wait("deployment.rolled_back", LATER, since, version=3)["data"]
        check(back["restored"] == 2, "version 2 serves again")
        ended = self.events.wait("run.finished", LATER, since, pipeline=CD)["data"]
        check(ended["outcome"] == "failed", f"{CD} ends failed, not {ended['outcome']}")
        self.until(lambda: self.stages().get(2) == "production", 30, "version 2 is production again")
        check(self.stages() == before[1] | {3: None}, f"stages are as before: {self.stages()}")
        now = self.endpoint()
        same = all(now[key] == before[0][key] for key in ("url", "model", "version", "state"))
        check(same, f"the endpoint is as before: {now}")
        status, answer = score(now["url"] + "/score", [PATIENT, OTHER])
        check(status == 200 and len(answer["result"]) == 2, f"two patients get two scores: {status} {answer}")
        self.narrator.observed(f"the smoke test failed ({tested['message'].splitlines()[0]})")
        self.narrator.observed("endpoint and stages are as before")

    def told(self):
        wanted = ["waits for approval", "→ production", "not_promoted", "failed"]
        self.until(lambda: all(any(w in t for t in self.slack.texts) for w in wanted), 60, f"Slack heard {wanted}")
        check(len(self.slack.texts) == len(set(self.slack.texts)), "nothing was told twice")
        self.narrator.observed(f"{len(self.slack.texts)} messages in Slack's format, none twice")

    # MARK: what the chapters have in common

    def push(self, message, alpha):
        since = self.events.mark()
        sha = self.repository.push(message, alpha)
        self.events.wait("change.pushed", 60, since, sha=sha)
        return since

    def deployed(self, since, version, replaced):
        self.approve(since)
        changed = self.wait("model.stage_changed", LATER, since, version=version, to="production")["data"]
        check(changed["replaced"] == replaced, f"who had to make room: {changed['replaced']}")
        self.wait("smoke_test.finished", LATER, since, version=version, outcome="succeeded")
        self.wait("run.finished", LATER, since, pipeline=CD, outcome="succeeded")
        self.until(lambda: self.endpoint().get("version") == version, 30, f"the endpoint serves version {version}")
        self.until(lambda: self.stages().get(version) == "production", 30, f"version {version} is production")

    def approve(self, since):
        asked = self.wait("approval.requested", FIRST, since)["data"]
        self.suite.command("approve", asked["approval"], "--comment", "numbers checked", token=self.approver)
        self.events.wait("approval.finished", 60, since, approval=asked["approval"], result="granted")

    def wait(self, name, seconds, since, **wanted):
        """A run that ends badly before it got there ends the wait."""

        def ended_badly(event):
            return event["name"] == "run.finished" and event["data"]["outcome"] not in ("succeeded", "not_promoted")

        return self.events.wait(name, seconds, since, unless=ended_badly, **wanted)

    def id_of(self, name, since, pipeline):
        return self.events.find(name, since, pipeline=pipeline)[0]["id"]

    def until(self, fact, seconds, text):
        deadline = time.monotonic() + seconds
        while not fact():
            check(time.monotonic() < deadline, f"{text} (not within {seconds} s)")
            time.sleep(0.1)

    def endpoint(self):
        endpoints = self.suite.ask("endpoints", "list")["items"]
        check(len(endpoints) == 1, f"there is one endpoint: {endpoints}")
        url = endpoints[0]["url"].rstrip("/")
        # From inside of a network of containers the gateway has another name than for people outside.
        if gateway := os.environ.get("MARTLET_GATEWAY"):
            url = gateway + urllib.parse.urlsplit(url).path
        return endpoints[0] | {"url": url}

    def versions(self):
        return sorted(self.suite.ask("models", "show", "diabetes")["items"], key=lambda item: item["version"])

    def stages(self):
        return {item["version"]: item["stage"] for item in self.versions()}

    def summary(self):
        say, endpoint = self.narrator.say, self.endpoint()
        self.narrator.chapter("What there is now")
        say(f"  {'VERSION':9}{'STAGE':13}{'ALPHA':8}{'MSE':10}COMMIT")
        for item in self.versions():
            stage, metrics, params = item["stage"] or "-", item["metrics"], item["params"]
            commit = (item.get("sha") or "-")[:10]
            say(f"  {item['version']:<9}{stage:13}{params['alpha']:8}{metrics['mse']:<10.2f}{commit}")
        status, answer = score(endpoint["url"] + "/score", [PATIENT])
        check(status == 200 and len(answer["result"]) == 1, f"one patient gets one score: {status} {answer}")
        say(f"\n  POST {endpoint['url']}/score {json.dumps({'data': [PATIENT]})}")
        say(f"  disease progression after a year: {answer['result'][0]:.1f}\n")
        say("  martlet why diabetes/production")
        why = self.suite.command("why", "diabetes/production")
        check("Less penalty" in why, f"why names the commit that brought it:\n{why}")
        say("\n".join("  " + line for line in why.splitlines()))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="folder with the built executables")
    parser.add_argument("--attach", action="store_true", help="to a suite that runs; the environment says where")
    parser.add_argument("--folder", type=Path, help="a new folder for the demo's repository; the suite must see it too")
    parser.add_argument("--slack-port", type=int, default=8123, help="where --attach waits for messages to Slack")
    parser.add_argument("--keep", action="store_true", help="leave the suite running and print its URLs")
    options = parser.parse_args()
    if not options.bin and not options.attach:
        parser.error("say --bin FOLDER, or --attach")
    return options


def main():
    options, narrator = arguments(), Narrator()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = options.folder or Path(tempfile.mkdtemp(prefix="martlet-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    suite, slack, demo = begin(options, folder), None, None
    start, passed = time.monotonic(), False
    try:
        slack = Slack("0.0.0.0", options.slack_port) if options.attach else Slack()
        if not options.attach:
            secrets = suite.data / "secrets"
            secrets.mkdir(parents=True, mode=0o700)
            (secrets / "SLACK_HOOK").write_text(slack.url)
        suite.up()
        narrator.say(f"the suite is up in {time.monotonic() - start:.1f} s, data in {suite.data}")
        demo = Demo(suite, slack, folder, narrator)
        demo.run()
        passed = True
        narrator.chapter(f"All of it was observed, in {time.monotonic() - start:.0f} s.")
    except (Failed, subprocess.SubprocessError) as error:
        narrator.say(f"\nThe demo failed: {error}", "bad")
        narrator.say(suite.command("runs", "list", check=False) + suite.logs())
    finally:
        if demo:
            demo.events.stop()
        # Whose suite it is decides what becomes of it; it goes on watching the repository.
        if not options.attach:
            finish(suite, folder, keep=options.keep and passed, narrator=narrator)
    sys.exit(0 if passed else 1)


def begin(options, folder):
    return Attached(options.bin) if options.attach else Suite(options.bin, folder / "data")


def finish(suite, folder, keep, narrator):
    if not keep:
        # Also a step that is still at work when the demo fails: its folder goes.
        suite.down("--all")
        shutil.rmtree(folder, ignore_errors=True)
        return
    narrator.say(f"\nIt goes on running. MARTLET_HOME={suite.data} {suite.martlet} status")
    narrator.say(f"  console   http://127.0.0.1:{suite.ports['console']}/api/v1/status")
    narrator.say(f"  scoring   http://127.0.0.1:{suite.ports['gateway']}/endpoints/")
    narrator.say(f"  token     {suite.data}/tokens/admin (what a browser asks for as the password)")
    narrator.say(f"  stop it   MARTLET_HOME={suite.data} {suite.martlet} down && rm -r {folder}")


if __name__ == "__main__":
    main()
