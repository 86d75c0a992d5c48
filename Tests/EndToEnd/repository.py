"""A small repository whose whole loop takes a second: the model is a file, the metric a number."""

import json
import subprocess
from pathlib import Path

PROJECT = """\
martlet: 1
project: fast
model: { champion: stage=production, stages: { preset: trunk } }
environments:
  prod: { approvals: { required: 1 } }
targets:
  api: { kind: process, command: "python3 serve.py", health: /healthz, score: /score }
notify:
  - { when: [run.finished], use: file, channel: fast.jsonl }
  - { when: [run.finished], use: slack, channel: "${{ secrets.SLACK_HOOK }}" }
pipelines:
  train:
    on: { push: { branches: [main] }, manual: {} }
    jobs:
      train:
        steps:
          - { id: train, uses: train/run, with: { command: "python3 train.py" } }
          - { id: judge, uses: evaluate/compare, with: { challenger: { run: "${{ steps.train.run_id }}" }, metric: score, better: higher } }
          - { id: register, uses: registry/register, with: { run: "${{ steps.train.run_id }}", tags: { BuildId: "${{ run.id }}" } } }
          - { id: found, uses: registry/resolve, with: { select: "tag:BuildId=${{ run.id }}", on_none: fail, message: none } }
          - { uses: artifact/publish, with: { name: model, file: model.json, content: "${{ steps.found.json }}" } }
  deploy:
    on: { pipeline: { name: train, conclusion: success } }
    jobs:
      get:
        steps:
          - { id: get, uses: artifact/fetch, with: { pipeline: train, run: "${{ upstream.run.id }}", artifact: model/model.json } }
        outputs: { version: "${{ steps.get.json.version }}" }
      deploy:
        needs: get
        environment: prod
        steps:
          - { uses: registry/transition, with: { version: "${{ needs.get.version }}", to: production } }
          - { uses: deploy/model, with: { target: api, version: "${{ needs.get.version }}" } }
          - { uses: deploy/smoke-test, with: { target: api, request: {}, expect: { status: 200, json: { works: true } }, on_fail: rollback } }
"""

TRAIN = """\
import json, os, pathlib, time
out = pathlib.Path(os.environ["MARTLET_OUTPUT"])
score = json.loads(pathlib.Path("score.json").read_text())
(out / "model").mkdir(parents=True, exist_ok=True)
time.sleep(score["seconds"])
(out / "model" / "model.json").write_text(json.dumps(score))
(out / "metrics.json").write_text(json.dumps({"score": score["score"]}))
print("trained", score, flush=True)
"""

SERVE = """\
import http.server, json, os, pathlib
model = json.loads((pathlib.Path(os.environ["MARTLET_MODEL"]) / "model.json").read_text())
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"status": "ok"} if self.path == "/healthz" else {"works": True, "score": model["score"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Repository:
    """A bare repository and a clone that pushes to it."""

    def __init__(self, folder):
        self.origin, self.clone = Path(f"{folder}.git"), Path(folder)
        self.make()

    def make(self):
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.origin)
        run("git", "init", "--quiet", "--initial-branch=main", self.clone)
        self.git("remote", "add", "origin", str(self.origin))

    def git(self, *words):
        name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        return run("git", "-C", self.clone, *name, *words)

    def push(self, message="a change", **files):
        """Files by name, with `__` for the dot: `martlet__yml`."""
        for name, text in files.items():
            (self.clone / name.replace("__", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def push_model(self, score, seconds=0.0):
        return self.push(
            f"score {score}",
            martlet__yml=PROJECT,
            train__py=TRAIN,
            serve__py=SERVE,
            score__json=json.dumps({"score": score, "seconds": seconds}),
        )

    def push_steps(self, *steps, timeout=None):
        """A project of one pipeline with these steps, as YAML flow mappings; `timeout` is their job's."""
        lines = "\n".join(f"          - {step}" for step in steps)
        head = "martlet: 1\nproject: small\nmodel: { champion: latest }\npipelines:\n  check:\n    on: { push: { branches: [main] }, manual: {} }\n"
        limit = f"        timeout: {timeout}\n" if timeout else ""
        return self.push(martlet__yml=head + "    jobs:\n      only:\n" + limit + "        steps:\n" + lines + "\n")


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
