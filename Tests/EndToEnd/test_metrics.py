"""What operators' Prometheus reads of a suite, and what it makes of that, judged by Prometheus's own tool."""

import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import ROOT
from waiting import until

SERVICES = ["event-bus", "console", "trigger-service", "registry-service", "deployer", "trainer-proxy", "evaluator", "notifier"]
RULES = ROOT / "compose" / "observability" / "alerts.yml"


def promtool(*words, told=None):
    program = ROOT / ".build" / "promtool"
    assert program.exists(), "run 'make .build/promtool'"
    done = subprocess.run([program, *words], input=told, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def metrics(suite, service):
    address = json.loads((suite.data / "services" / service / "http.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{address['port']}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


def value(text, name, **labels):
    """The sum of all series of that name with those labels; `None` where there is none."""
    total = None
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{word}"' in (found[1] or "") for key, word in labels.items()):
            total = (total or 0) + float(found[2])
    return total


def test_metrics_of_every_service_are_as_prometheus_wants_them_and_tell_what_happened(suite, events, repo):
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_model(0.5)
    suite.command("approve", events.wait("approval.requested", 90)["data"]["approval"])
    events.wait("run.finished", 90, pipeline="deploy", outcome="succeeded")
    before = value(metrics(suite, "deployer"), "martlet_gateway_request_duration_seconds_count", version="1", code="200") or 0
    for _ in range(3):
        urllib.request.urlopen(f"http://127.0.0.1:{suite.ports['gateway']}/endpoints/api/score", data=b"{}", timeout=30).read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://127.0.0.1:{suite.ports['trigger']}/webhooks/github", data=b"{}", timeout=30)
    until(lambda: value(metrics(suite, "console"), "martlet_log_lag_events", source="trigger-service") == 0, 30, "no lag")
    texts = {service: metrics(suite, service) for service in SERVICES}
    for service, text in texts.items():
        code, said = promtool("check", "metrics", told=text)
        assert code == 0, f"{service}: {said}\n{text}"
        assert value(text, "process_resident_memory_bytes") > 1e6 and value(text, "process_cpu_seconds_total") > 0
    assert value(texts["trainer-proxy"], "martlet_steps_claimed_total", verb="train/run") == 1
    assert value(texts["trainer-proxy"], "martlet_step_duration_seconds_count", verb="train/run", outcome="succeeded") == 1
    assert value(texts["trigger-service"], "martlet_step_queue_duration_seconds_count", verb="train/run") == 1
    assert value(texts["trigger-service"], "martlet_steps_offered") == 0
    assert value(texts["trigger-service"], "martlet_trigger_verdicts_total", verdict="matched") == 2
    assert value(texts["trigger-service"], "martlet_webhooks_total", forge="github", verdict="unproven") == 1
    told = texts["deployer"]
    assert value(told, "martlet_gateway_request_duration_seconds_count", version="1", code="200") == before + 3
    assert value(told, "martlet_gateway_request_duration_seconds_bucket", le="+Inf", version="1", code="200") == before + 3
    for service in SERVICES:
        if service != "event-bus":
            assert value(texts[service], "martlet_dead_letters") == 0
            assert value(texts[service], "martlet_store_trouble") == 0
            assert value(texts[service], "martlet_outbox_events", log=service) is not None
    assert value(texts["console"], "martlet_events_applied_total", source="trigger-service") > 0
    assert value(texts["event-bus"], "martlet_bus_forwarded_total") > 0
    # The checker does say no.
    assert promtool("check", "metrics", told="# TYPE x counter\nx 1\n")[0] != 0


def test_alerts_are_sound_and_each_is_raised_by_its_ill_alone():
    code, said = promtool("check", "rules", str(RULES))
    assert code == 0, said
    names = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    tested = set(re.findall(r'alertname="(\w+)"', (ROOT / "Tests" / "EndToEnd" / "alerts.test.yml").read_text()))
    assert names == tested
    code, said = promtool("test", "rules", str(ROOT / "Tests" / "EndToEnd" / "alerts.test.yml"))
    assert code == 0, said
