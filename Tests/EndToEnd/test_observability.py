"""What operators see of a suite: logs that machines read, metrics that Prometheus takes, traces that a collector takes, and what
the CLI says is not well."""

import http.server
import json
import os
import re
import subprocess
import threading
import urllib.request

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from suite import Events
from waiting import until

SERVICES = ["event-bus", "console", "trigger-service", "registry-service", "deployer", "trainer-proxy", "evaluator", "notifier"]


def metrics(suite, service):
    address = json.loads((suite.data / "services" / service / "http.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{address['port']}/metrics", timeout=30) as answer:
        return answer.read().decode()


def value(text, name, **labels):
    """The sum of all series of that name with those labels."""
    total = None
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{word}"' in (found[1] or "") for key, word in labels.items()):
            total = (total or 0) + float(found[2])
    return total


# MARK: logs


def test_logs_are_json_with_run_and_trace_and_no_secret(suite, repo):
    (suite.data / "secrets" / "WORD").write_text("open-sesame")
    suite.up()
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo $WORD", env: { WORD: "${{ secrets.WORD }}" } }')
    ended = events.wait("run.finished", 60)
    events.stop()
    lines = []
    for service in SERVICES:
        for line in (suite.data / "services" / service / "log").read_text().splitlines():
            lines.append(json.loads(line))
    assert lines
    for line in lines:
        assert {"time", "level", "service", "message"} <= line.keys(), line
        assert line["service"] in SERVICES
    assert "open-sesame" not in json.dumps(lines)
    about = [line for line in lines if line.get("run") == ended["data"]["run"]]
    assert about, "what is said while a run is worked on names it"
    trace = ended["traceparent"].split("-")[1]
    assert {line["trace"] for line in about} == {trace}


def test_logs_are_text_where_that_is_wanted(suite):
    suite.environment["MARTLET_LOG_FORMAT"] = "text"
    suite.up()
    first = (suite.data / "services" / "console" / "log").read_text().splitlines()[0]
    assert not first.startswith("{") and " console: " in first


# MARK: metrics


def test_metrics_of_every_service_are_as_prometheus_wants_them(suite, events, repo):
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_model(0.5)
    suite.command("approve", events.wait("approval.requested", 90)["data"]["approval"])
    events.wait("run.finished", 90, pipeline="deploy", outcome="succeeded")
    for _ in range(3):
        urllib.request.urlopen(f"http://127.0.0.1:{suite.ports['gateway']}/endpoints/api/score", data=b"{}", timeout=30).read()
    texts = {service: metrics(suite, service) for service in SERVICES}
    for service, text in texts.items():
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}\n{text}"
    assert value(texts["trainer-proxy"], "martlet_steps_claimed_total", verb="train/run") == 1
    assert value(texts["trainer-proxy"], "martlet_step_duration_seconds_count", verb="train/run", outcome="succeeded") == 1
    assert value(texts["trigger-service"], "martlet_step_queue_duration_seconds_count", verb="train/run") == 1
    assert value(texts["deployer"], "martlet_gateway_request_duration_seconds_count", version="1", code="200") == 3
    for service in SERVICES:
        if service == "event-bus":
            continue
        assert value(texts[service], "martlet_dead_letters") == 0
        assert value(texts[service], "martlet_outbox_events", log=service) is not None
    until(lambda: value(metrics(suite, "console"), "martlet_log_lag_events", source="trigger-service") == 0, 30, "no lag")
    assert value(texts["console"], "martlet_events_applied_total", source="trigger-service") > 0


# MARK: traces


class Collector:
    """Takes OTLP over HTTP, once it has refused the first request, as one does that is being restarted."""

    def __init__(self):
        self.spans, self.authorization, refused = {}, set(), threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = 200
                if not refused.is_set():
                    refused.set()
                    status = 503
                else:
                    assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                    # Strict: a field that OTLP's own definition does not have is an error.
                    json_format.ParseDict(body, ExportTraceServiceRequest())
                    collector.authorization.add(self.headers["Authorization"])
                    for resource in body["resourceSpans"]:
                        for scope in resource["scopeSpans"]:
                            for span in scope["spans"]:
                                collector.spans[span["spanId"]] = span
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def named(self, name):
        return [span for span in list(self.spans.values()) if span["name"] == name]


@pytest.fixture
def collector():
    one = Collector()
    yield one
    one.server.shutdown()


def test_a_run_is_one_trace_from_its_cause_to_its_last_step(suite, collector, repo):
    (suite.data / "secrets" / "OTLP_AUTHORIZATION").write_text("Bearer collector-word")
    suite.command(*suite.up_words(), "--otlp-url", collector.url, timeout=90)
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ id: tell, run: "echo trace $TRACEPARENT" }', '{ run: "exit 3" }')
    ended = events.wait("run.finished", 60)
    run, trace = ended["data"]["run"], ended["traceparent"].split("-")[1]
    chain = [event for event in events.find_all() if event["correlationid"] == ended["correlationid"]]
    events.stop()
    assert len(chain) > 5 and {event["traceparent"].split("-")[1] for event in chain} == {trace}
    assert len({event["traceparent"] for event in chain}) == len(chain), "each event is a place of its own in it"
    until(lambda: collector.named("small/check") and len(collector.named("run")) == 2, 60, "the spans arrive")
    [root], [job], steps = collector.named("small/check"), collector.named("only"), collector.named("run")
    assert "parentSpanId" not in root and job["parentSpanId"] == root["spanId"]
    assert {step["parentSpanId"] for step in steps} == {job["spanId"]}
    assert {span["traceId"] for span in collector.spans.values()} >= {trace}
    assert sorted(step["status"]["code"] for step in steps) == [1, 2] and root["status"]["code"] == 2
    for span in [root, job, *steps]:
        # In JSON the ids are hex, other than protobuf's own JSON has bytes.
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert span["traceId"] == trace and int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    said = suite.command("runs", "logs", run)
    assert any(f"00-{trace}-{step['spanId']}-01" in said for step in steps), "the step's own program can go on with it"
    assert collector.authorization == {"Bearer collector-word"}


# MARK: doctor


def doctor(suite):
    done = subprocess.run([suite.martlet, "doctor", "--json"], env=suite.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {item["check"]: item for item in json.loads(done.stdout)["items"]}


def test_the_doctor_finds_what_is_wrong_and_says_what_to_do(suite):
    os.chmod(suite.data, 0o700)
    code, found = doctor(suite)
    assert code == 0, found
    suite.up()
    code, found = doctor(suite)
    assert code == 0 and found["bus"]["state"] == "ok" and found["databases"]["note"] == "7 whole", found
    secret = suite.data / "secrets" / "WORD"
    secret.write_text("x")
    secret.chmod(0o644)
    code, found = doctor(suite)
    assert code == 1 and str(secret) in found["secrets"]["note"] and "chmod 600" in found["secrets"]["advice"]
    secret.chmod(0o600)
    suite.down()
    path = suite.data / "services" / "notifier" / "state.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    for name in ("state.sqlite-wal", "state.sqlite-shm"):
        (path.parent / name).unlink(missing_ok=True)
    code, found = doctor(suite)
    assert code == 1 and "notifier" in found["databases"]["note"] and "restore" in found["databases"]["advice"]
    said = subprocess.run([suite.martlet, "doctor"], env=suite.environment, capture_output=True, text=True, timeout=60)
    assert said.returncode == 1 and "notifier" in said.stdout
    os.chmod(suite.data, 0o755)
    code, found = doctor(suite)
    assert "chmod 700" in found["data folder"]["advice"]
