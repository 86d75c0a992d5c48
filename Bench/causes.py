"""Causes from outside: signed webhooks at a rate, and answers over a hundred thousand stored causes."""

import hashlib
import hmac
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
from pathlib import Path

PAYLOAD = Path(__file__).resolve().parent.parent / "Tests/Fixtures/webhooks/github/push.branch-with-files.json"
SECRET = b"s3cret"
CONNECTIONS = 8
RATE = 1500
SECONDS = 10


class Connection(threading.Thread):
    """Sends its share of the pushes, each at its time whatever became of the one before (open loop)."""

    def __init__(self, port, number, begin, rate, seconds):
        super().__init__(daemon=True)
        self.port, self.number, self.begin, self.rate = port, number, begin, rate
        self.latencies, self.problem = [], None
        # Made before: the bench's own work must not be measured.
        self.requests = [request(number * 1_000_000 + i) for i in range(rate * seconds // CONNECTIONS)]

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as door:
                door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for index, message in enumerate(self.requests):
                    due = self.begin + (index + self.number / CONNECTIONS) * CONNECTIONS / self.rate
                    time.sleep(max(0, due - time.monotonic()))
                    door.sendall(message)
                    status = answer(door)
                    self.latencies.append(time.monotonic() - due)
                    if status != 202:
                        raise ValueError(f"a push was answered with {status}")
        except (OSError, ValueError) as error:
            self.problem = str(error)


def request(number):
    """The recorded push of another commit, signed, with its headers."""
    payload = json.loads(PAYLOAD.read_text()) | {"after": f"{number:040x}"}
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: push\r\nX-GitHub-Delivery: d-{number}\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer(door):
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(door)
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode().lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
    while len(rest) < length:
        rest += received(door)
    return int(lines[0].split()[1])


def received(door):
    data = door.recv(65536)
    if not data:
        raise OSError("the door was closed")
    return data


def webhooks(suite, tools):
    (suite.data / "secrets").mkdir(parents=True, mode=0o700)
    (suite.data / "secrets" / "WEBHOOK_GITHUB").write_bytes(SECRET)
    events = tools.prepare(suite)
    folder = suite.data.parent / "repository"
    suite.command("repo", "add", "bench", str(folder), "--forge-url", "https://github.com/Codertocat/Hello-World")
    pid = json.loads((suite.data / "services/trigger-service/http.json").read_text())["pid"]
    rate, seconds = suite.size(RATE, 80), suite.size(SECONDS, 1)
    begin = time.monotonic() + 3
    port = suite.ports["trigger"]
    connections = [Connection(port, number, begin, rate, seconds) for number in range(CONNECTIONS)]
    for one in connections:
        one.start()
    highest = 0.0
    while any(one.is_alive() for one in connections):
        highest = max(highest, tools.resident([pid]))
        time.sleep(0.2)
    took = time.monotonic() - begin
    events.stop()
    suite.down()
    if problems := [one.problem for one in connections if one.problem]:
        raise tools.Failed(f"not every push was stored: {problems[0]}")
    latencies = sorted(latency for one in connections for latency in one.latencies)
    stored, p99 = len(latencies) / took, latencies[int(len(latencies) * 0.99)] * 1000
    median = statistics.median(latencies) * 1000
    return [
        ("signed GitHub pushes stored, 8 connections", f"{stored:.0f}/s", f"≥ {rate}/s", stored >= rate * 0.98),
        ("… p99 from the intended time (median)", f"{p99:.1f} ms ({median:.1f} ms)", "≤ 20 ms", p99 <= 20),
        ("… trigger-service's memory at its highest", f"{highest:.0f} MB", "≤ 50 MB", highest <= 50),
    ]


def verdicts(suite, tools):
    causes, pipelines = suite.size(100_000, 100), 20
    events = tools.prepare(suite)
    events.stop()
    suite.down()
    database = suite.data / "services/console/state.sqlite"
    fill(database, causes, pipelines)
    suite.up()
    token = (suite.data / "tokens" / "admin").read_text().strip()
    rows = []
    for what, path in [
        ("why-not of a pipeline", "/why-not?pipeline=p7&limit=5"),
        ("why-not of an event", f"/why-not?pipeline=p7&event=cause-{causes // 2}&limit=50"),
        ("runs list", "/runs?limit=20"),
    ]:
        times = [asked(suite.ports["console"], path, token) for _ in range(suite.size(50, 2))]
        median, worst = statistics.median(times) * 1000, max(times) * 1000
        measured = f"{median:.1f} ms ({worst:.1f} ms)"
        rows.append((f"{causes:,} causes × {pipelines}: {what}, median (worst)", measured, "≤ 50 ms", worst <= 50))
    suite.down()
    return rows


def fill(database, causes, pipelines):
    """What the console would have stored, as it stores it."""
    with sqlite3.connect(database) as db:
        names = [f"p{number}" for number in range(pipelines)]
        db.execute("UPDATE projects SET pipelines_json = ?", [json.dumps(names)])
        moment = lambda n: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_790_000_000 + n)) + ".000Z"  # noqa: E731
        db.executemany(
            "INSERT INTO verdicts (cause, project, pipeline, cause_type, verdict, code, reason, run, time, event)"
            " VALUES (?, 'bench', ?, 'change.pushed', 'ignored', ?, 'because', NULL, ?, ?)",
            (
                (f"cause-{n}", name, "path_filter" if n % 10 == 0 else "no_trigger", moment(n), f"verdict-{n}-{name}")
                for n in range(causes)
                for name in names
            ),
        )
        db.executemany(
            "INSERT INTO runs (id, number, project, pipeline, cause, reason, state, outcome, queued, actor, correlation,"
            " event, parameters_json) VALUES (?, ?, 'bench', ?, ?, 'push', 'finished', 'succeeded', ?, 'user:a', ?, ?, '{}')",
            (
                (f"run-{n}", n + 1000, names[n % pipelines], f"cause-{n}", moment(n), f"cause-{n}", f"queued-{n}")
                for n in range(causes)
            ),
        )


def asked(port, path, token):
    begin = time.monotonic()
    words = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code} %{time_total}", "-H", f"Authorization: Bearer {token}"]
    done = subprocess.run([*words, f"http://127.0.0.1:{port}/api/v1{path}"], capture_output=True, text=True, check=True)
    status, seconds = done.stdout.split()
    if status != "200":
        raise ValueError(f"{path} was answered with {status} after {time.monotonic() - begin:.1f} s")
    return float(seconds)
