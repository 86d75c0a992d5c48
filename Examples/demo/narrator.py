"""Tells events as they come, one line each."""

import sys
import threading

COLORS = {"good": "32", "bad": "31", "neutral": "33", "dim": "2", "bold": "1"}


class Narrator:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.colored = out.isatty()
        self.lock = threading.Lock()
        self.runs = {}

    def paint(self, text, tone):
        return f"\033[{COLORS[tone]}m{text}\033[0m" if self.colored and tone else text

    def say(self, text="", tone=None):
        with self.lock:
            print(self.paint(text, tone), file=self.out, flush=True)

    def chapter(self, text):
        self.say()
        self.say(text, "bold")

    def observed(self, text):
        self.say(f"  {self.paint('✓', 'good')} {text}")

    def event(self, event):
        data = event["data"]
        if event["name"] == "run.queued":
            self.runs[data["run"]] = f"{data['pipeline']} #{data['number']}"
        told = self.sentence(event["name"], data, self.runs.get(data.get("run"), ""))
        if told:
            text, tone = told
            self.say(
                f"    {event['time'][11:23]}  {self.paint(event['name'].ljust(22), 'dim')} {self.paint(text, tone)}"
            )

    def sentence(self, name, data, run):
        """What to say, and how it sounds; None for what only machines need."""
        first = (data.get("message") or "").strip().split("\n")[0]
        tone = {"succeeded": "good", "failed": "bad", "not_promoted": "neutral"}.get(data.get("outcome"))
        match name:
            case "change.pushed":
                return f"{data['branch']} {data['sha'][:10]} {data['message']!r} by {data['author']}", None
            case "run.queued":
                return f"{run}: {data['reason']}", None
            case "trigger.ignored" if data["code"] == "conclusion":
                return f"{data['pipeline']}: {data['reason']}", "dim"
            case "environment.built":
                return f"Python environment built in {data['seconds']:.0f} s", None
            case "environment.reused":
                return "Python environment reused", "dim"
            case "step.finished" if data["outcome"] != "skipped":
                return f"{run}: {data['job']}/{data['step']} {data['outcome']} {first}", tone
            case "evaluation.decided":
                return f"{data['winner']} wins: {data['message']}", "good" if data[
                    "winner"
                ] == "challenger" else "neutral"
            case "model.registered":
                return f"{data['model']} version {data['version']}", "good"
            case "approval.requested":
                return f"{run}: {data['environment']} needs {data['required']}", "neutral"
            case "approval.finished":
                return f"{run}: {data['result']} by {data.get('by')}", "good"
            case "model.stage_changed":
                moved = "".join(
                    f", version {m['version']} is {m.get('to') or 'without stage'}" for m in data["replaced"]
                )
                back = " (taken back)" if data.get("compensates") else ""
                return (
                    f"{data['model']} version {data['version']} is {data.get('to') or 'without stage'}{moved}{back}",
                    None,
                )
            case "deployment.finished":
                return f"{data['endpoint']}: version {data['version']} {data['outcome']} {first}", tone
            case "smoke_test.finished":
                return f"version {data['version']}: {data['message']}", tone
            case "deployment.rolled_back":
                return f"{data['endpoint']}: version {data.get('restored')} serves again: {data['reason']}", "neutral"
            case "run.finished":
                return f"{run} {data['outcome']} after {data['seconds']:.1f} s {first}", tone
            case "notification.failed":
                return f"{data['recipient']}: {data['reason']}", "bad"
        return None
