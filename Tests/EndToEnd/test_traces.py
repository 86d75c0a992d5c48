"""A run as one trace, told to a collector: held to OTLP's own definition, in which an unknown field is an error."""

import http.server
import json
import re
import threading

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from processes import refused
from suite import Events
from waiting import until


class Collector:
    """Takes OTLP over HTTP, once it has refused the first request, as one does that is being restarted."""

    def __init__(self):
        self.spans, self.services, self.authorization, self.problems = {}, {}, set(), []
        self.refused = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(collector.take(self, body))
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, request, body):
        if not self.refused.is_set():
            self.refused.set()
            return 503
        try:
            assert request.path == "/v1/traces" and request.headers["Content-Type"] == "application/json"
            written = json.loads(body)
            read = json_format.ParseDict(written, ExportTraceServiceRequest())
            for resource, meant in zip(written["resourceSpans"], read.resource_spans, strict=True):
                [service] = [a.value.string_value for a in meant.resource.attributes if a.key == "service.name"]
                for span in resource["scopeSpans"][0]["spans"]:
                    self.spans[span["spanId"]] = span
                    self.services[span["spanId"]] = service
        except (AssertionError, ValueError, KeyError, json_format.ParseError) as problem:
            self.problems.append(f"{problem!r} in {body}")
            return 400
        self.authorization.add(request.headers["Authorization"])
        return 200

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
    until(lambda: collector.named("only"), 60, "the job's span arrives")
    assert not collector.problems
    [root], [job], steps = collector.named("small/check"), collector.named("only"), collector.named("run")
    assert "parentSpanId" not in root and job["parentSpanId"] == root["spanId"]
    assert {step["parentSpanId"] for step in steps} == {job["spanId"]}
    assert sorted(step["status"]["code"] for step in steps) == [1, 2] and root["status"]["code"] == 2
    for span in [root, job, *steps]:
        # In OTLP's JSON the ids are hex, where protobuf's own JSON would have base64.
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"]) and span["traceId"] == trace
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert collector.services[span["spanId"]] == "trigger-service"
    said = suite.command("runs", "logs", run)
    assert any(f"trace 00-{trace}-{step['spanId']}-01" in said for step in steps), "the step's program can go on with it"
    assert collector.authorization == {"Bearer collector-word"}
    log = (suite.data / "services" / "trainer-proxy" / "log").read_text()
    lines = [line for line in map(json.loads, log.splitlines()) if line.get("run") == run]
    assert lines and {line["trace"] for line in lines} == {trace}
    for path in suite.data.glob("services/*/log"):
        assert "collector-word" not in path.read_text()


def test_a_trace_that_somebody_else_began_goes_on(suite, events, folder):
    theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    event = {"id": "1", "source": "/acme", "type": "com.acme.arrived", "traceparent": theirs, "data": {}}
    (folder / "event.json").write_text(json.dumps(event))
    suite.command("events", "publish", str(folder / "event.json"))
    heard = until(lambda: [e for e in events.find_all() if e["type"] == "com.acme.arrived"], 30, "it is heard")
    assert heard[0]["traceparent"] == theirs
    (folder / "event.json").write_text(json.dumps(event | {"id": "2"} | {"traceparent": None}))
    suite.command("events", "publish", str(folder / "event.json"))
    second = until(lambda: [e for e in events.find_all() if e["id"] == "2"], 30, "it is heard")
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", second[0]["traceparent"])


def test_an_address_that_is_none_is_refused(suite):
    said = refused(suite, *suite.up_words(), "--otlp-url", "collector:4318")
    assert "'collector:4318' is no http or https address" in said
    assert not suite.is_ready()
