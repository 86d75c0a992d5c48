"""The suite as its operators run it. The tests tell one story, in order."""

import base64
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import operating
import pytest
import yaml
from engine import ROOT, EngineError, inspect, podman, run
from installation import SERVICES
from outsider import Outsider
from standardwebhooks.webhooks import Webhook
from waiting import until


def test_everything_comes_up_and_is_healthy_by_its_own_check(up, built):
    image, base = (inspect("image", name)["Size"] for name in (built, up.settings["BASE_IMAGE"]))
    size = (image - base) // 1_000_000
    print(f"healthy after {up.seconds:.1f} s, {up.memory()} MB in memory, image {size} MB beyond its base")
    assert size <= 250
    assert up.ill() == []
    services = until(
        lambda: (found := up.ask("status")["services"]) and all(s["state"] == "ready" for s in found) and found,
        30, "status shows every service as ready",
    )  # fmt: skip
    assert {service["name"] for service in services} == set(SERVICES)


def test_only_the_published_ports_listen_and_only_at_home(up):
    # Prometheus has a profile of its own.
    published = {port for name, port in up.ports.items() if name != "MARTLET_PROMETHEUS_PORT"}
    assert up.opened == {f"127.0.0.1:{port}" for port in published}
    more = {"event-bus": {5550, 5551, 5552}, "front": {8080, 8081, 5000, 8090}}
    for name, ports in up.inside.items():
        service = name.removeprefix(f"{up.name}_").rsplit("_", 1)[0]
        assert ports == {8000} | more.get(service, set()), name


def test_containers_are_closed(up):
    for service in SERVICES:
        for name in up.containers(service):
            container = inspect("container", name)
            assert container["Config"]["User"] == "10001:10001", name
            assert container["HostConfig"]["ReadonlyRootfs"], name
            assert "no-new-privileges" in str(container["HostConfig"]["SecurityOpt"]), name
            assert not container["EffectiveCaps"], name
            assert container["HostConfig"]["Memory"] > 0, name
            tried = run("podman", "exec", name, "touch", "/usr/local/bin/x", check=False)
            assert tried.returncode != 0, name


def test_whatever_dies_is_started_again_and_no_log_fills_the_disk(up):
    for service in [*SERVICES, "front"]:
        for name in up.containers(service):
            host = inspect("container", name)["HostConfig"]
            assert host["RestartPolicy"]["Name"] == "unless-stopped", name
            # As the engine writes 10m; it keeps one older file, whatever it is told of `max-file`.
            assert re.fullmatch(r"10(\.\d+)?\s?MB", host["LogConfig"]["Size"]), (name, host["LogConfig"])
    services = yaml.safe_load((ROOT / "compose" / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        options = service["logging"]["options"]
        assert options == {"max-size": "${MARTLET_LOG_SIZE:-10m}", "max-file": "3"}, name
    # What is run once, by hand or before everything else, stays ended.
    once = {name for name, service in services.items() if service.get("restart") != "unless-stopped"}
    assert once == {"keys", "martlet", "demo"}


def test_each_service_sees_its_own_key_and_no_other(up):
    for service in SERVICES:
        keys = podman("exec", up.containers(service)[0], "ls", "/keys").split()
        own = {f"{service}.key", "event-bus.pub"} | ({"authorized_keys"} if service == "event-bus" else set())
        assert {name for name in keys if not name.startswith(".") and not name.endswith(".lock")} == own, service


def test_no_image_contains_a_key_or_a_token(up, built):
    found = podman(
        "run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", built, "-c",
        "find /keys /data /run/secrets /repositories /backups /volumes -type f; grep -rlE 'secret-key|BEGIN .*PRIVATE KEY' /etc /usr/share/martlet /usr/local || true",
    ).splitlines()  # fmt: skip
    # The programs know the words; no file with a value does.
    assert [path for path in found if not path.startswith("/usr/local/bin/")] == []
    history = podman("history", "--no-trunc", "--format", "{{.CreatedBy}}", built)
    assert "secret" not in history.lower() and "token" not in history.replace("/data/tokens", "").lower()


def test_an_outsider_subscribes_and_publishes_over_curve(up, outsider):
    feed = outsider.subscriber("e/ingest/", "h/")
    try:
        until(lambda: feed.poll(200), 30, "the bus lets acme hear")
        until(lambda: (outsider.publish("com.acme.hello.v1", {"n": 1}) or [0])[0] == 200, 30, "published")
        seen = until(
            lambda: feed.poll(200) and (frames := feed.recv_multipart())[0].startswith(b"e/ingest/") and frames,
            30, "acme hears its own event",
        )  # fmt: skip
        assert json.loads(seen[2])["type"] == "com.acme.hello.v1"
    finally:
        feed.close()


def test_the_cli_answers_from_a_container_of_its_own(up):
    command = operating.command("docker compose run --rm martlet status")

    def status():
        try:
            return up.shell(command)
        except EngineError as problem:  # Each container that comes makes podman's name server start anew.
            assert "no container has its name" in str(problem)

    shown = until(status, 60, "the names of all services are known")
    assert all(service in shown for service in SERVICES), shown
    lines = up.tool("events", "tail", "--since", "start", "--limit", "1", "--json", timeout=60).stdout.splitlines()
    assert any(line.startswith("{") and "event" in json.loads(line) for line in lines)


def test_a_wrong_token_is_refused_in_words(up, built):
    done = run(
        "podman", "run", "--rm", "--network", f"{up.name}_suite", "--env", "MARTLET_URL=http://console:8000",
        "--env", "MARTLET_TOKEN=hunter2", built, "martlet", "status", check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "token" in done.stderr and "hunter2" not in done.stderr, done.stderr


def test_the_demo_runs_in_the_containers(up):
    """Four pushes: training, promotion, serving, a roll-back; told to a chat."""
    up.shell(operating.command("SLACK_HOOK"))
    said = up.shell(operating.command("--profile demo"), timeout=900, check=False)
    name = up.containers("demo", running=False)[0]
    assert inspect("container", name)["State"]["ExitCode"] == 0, podman("logs", name)
    assert "All of it was observed" in said, said


def test_an_operator_elsewhere_follows_with_a_key_that_may_only_hear(up, tmp_path):
    made = up.shell(operating.command("keys generate kim"), folder=tmp_path)
    key = made.split("public key: ", 1)[1].strip()
    authorize = operating.command("keys authorize kim")
    up.shell(authorize.replace("PUBLIC KEY", key))
    copy = operating.command("cat /keys/event-bus.pub").replace("./keys", f"{tmp_path}/keys")
    up.shell(copy)
    tail = operating.command("martlet events tail").replace("tcp://127.0.0.1:5550", up.bus)
    lines = up.shell(f"{tail} --limit 3", folder=tmp_path, timeout=60).splitlines()
    assert len(lines) == 3 and all("diabetes" in line for line in lines)
    alone = run(
        "martlet", "events", "tail", "--bus", up.bus, "--since", "start", "--limit", "1", check=False,
        environment={"PATH": f"{up.programs}:/usr/bin:/bin", "MARTLET_HOME": str(tmp_path)},
    )  # fmt: skip
    assert alone.returncode == 1 and "there is no" in alone.stderr, alone.stderr
    kim = Outsider(up.bus, tmp_path / "keys", "kim")
    assert kim.publish("com.acme.forged.v1", {})[0] == 403
    up.shell(operating.command("keys revoke kim"))
    until(lambda: (kim.ask("fetch", "trigger-service", {"epoch": 0, "after": 0, "limit": 1}) or [401])[0] in (401, 403), 30, "revoked")
    kim.close()


def test_a_leaked_key_of_a_service_is_replaced(up):
    def line():
        lines = podman("exec", up.containers("event-bus")[0], "cat", "/keys/authorized_keys").splitlines()
        (own,) = [line for line in lines if " notifier " in line]
        return own.split()[0]

    before = line()
    up.shell(operating.command("rm /keys/notifier/notifier.key"))
    up.shell(operating.command("--force-recreate keys notifier"))
    assert line() != before
    up.until_healthy()
    until(
        lambda: [s["state"] for s in up.ask("status")["services"] if s["name"] == "notifier"] == ["ready"],
        30, "notifier is let in by its new key",
    )  # fmt: skip


def test_a_container_with_a_key_that_the_bus_does_not_know_says_so(up, built):
    bus = podman("exec", up.containers("event-bus")[0], "cat", "/keys/event-bus.pub")
    keys, data = podman("volume", "create"), podman("volume", "create")
    own = ["--rm", "--network", f"{up.name}_suite", "--volume", f"{keys}:/keys", "--volume", f"{data}:/data"]
    podman("run", *own, built, "martlet", "keys", "generate", "notifier", "--keys", "/keys")
    podman("run", "--interactive", *own, built, "sh", "-c", "cat > /keys/event-bus.pub", input=bus)
    there = ["--env", "MARTLET_BUS=tcp://event-bus:5550", "--env", "MARTLET_KEYS=/keys"]
    name = podman("run", "--detach", *own, *there, built, "notifier")
    try:
        said = until(
            lambda: (text := run("podman", "logs", name).stderr) and "refuses this key" in text and text, 30, "it says so"
        )
        assert "martlet keys authorize" in said and "secret" not in said
    finally:
        podman("rm", "--force", "--time", "5", name)
        podman("volume", "rm", "--force", keys, data)


class Receiver(BaseHTTPRequestHandler):
    """Takes what Standard Webhooks' own library finds genuine; the first event is refused twice."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = Webhook(self.server.secret).verify(body, dict(self.headers))
        self.server.asked.append(self.headers["webhook-id"])
        refused = len(self.server.asked) <= 2
        if not refused:
            self.server.events.append((self.headers["webhook-id"], self.headers["Content-Type"], event))
        self.send_response(503 if refused else 204)
        self.end_headers()

    def log_message(self, *arguments):
        """Silent."""


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    server.asked, server.events = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_the_bridge_hands_events_on_signed_in_order_and_goes_on_where_it_stood(up, outsider, receiver, tmp_path):
    (tmp_path / "whsec").write_text(receiver.secret + "\n")
    line = operating.command("martlet bridge").replace("tcp://127.0.0.1:5550", up.bus)
    line = line.replace("./keys/kim.key", f"{outsider.keys}/acme.key").replace(":9000", f":{receiver.server_port}")

    def accepted(ids):
        return set(ids) <= {event_id for event_id, _, _ in receiver.events}

    def bridged(enough, *words):
        with (tmp_path / "said").open("w") as said, subprocess.Popen(
            ["bash", "-c", "exec " + line + " " + " ".join(words)], cwd=tmp_path,
            env=os.environ | {"PATH": f"{up.programs}:{os.environ['PATH']}"}, stdout=said,
        ) as bridge:  # fmt: skip
            try:
                until(lambda: enough() and accepted(receiver.asked[:2]), 60, "the events that are waited for")
            finally:
                bridge.send_signal(signal.SIGTERM)
            assert bridge.wait(20) == 0

    bridged(lambda: len(receiver.events) >= 20, "--since", "start", "--json")
    said = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    assert said[0] == {"progress": "begins", "state": str(tmp_path / "bridge.json")}
    for refused in receiver.asked[:2]:
        assert receiver.asked.count(refused) == 2, "again, until it is accepted, and then no more"
        assert [one["progress"] for one in said if one.get("id") == refused] == ["refused", "accepted"]
    kind = f"com.acme.bridged.v{time.time_ns()}"
    assert outsider.publish(kind, {})[0] == 200
    bridged(lambda: any(event["type"] == kind for _, _, event in receiver.events))
    ids = [event_id for event_id, _, _ in receiver.events]
    assert len(ids) == len(set(ids)), "no event comes twice, though the bridge was started twice"
    assert all(content.startswith("application/cloudevents+json") for _, content, _ in receiver.events)
    for source in {event_id.split("/")[0] for event_id in ids}:
        numbers = [int(event_id.split("/")[2]) for event_id in ids if event_id.startswith(source + "/")]
        assert numbers == sorted(numbers), source


def test_prometheus_reads_every_replica_and_its_rules_are_sound(up):
    up.shell(operating.command("--profile observability", "up"))
    name = up.containers("prometheus")[0]
    podman("exec", name, "promtool", "check", "config", "/etc/prometheus/prometheus.yml")
    port = up.ports["MARTLET_PROMETHEUS_PORT"]

    def targets():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=10) as answer:
            return json.load(answer)["data"]["activeTargets"]

    until(
        lambda: {t["labels"]["service"] for t in targets() if t["health"] == "up"} == set(SERVICES),
        90, "every service is read",
    )  # fmt: skip
    metrics = podman("exec", up.containers("trigger-service")[0], "martlet", "health", "http://127.0.0.1:8000/metrics")
    checked = run("podman", "exec", "-i", name, "promtool", "check", "metrics", input=metrics + "\n", check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    dashboard = json.loads((ROOT / "compose" / "observability" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            query = urllib.parse.quote(target["expr"])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=10) as answer:
                assert json.load(answer)["status"] == "success", panel["title"]
