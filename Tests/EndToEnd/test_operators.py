"""What operators see and do beside pushing: people, links, drift, stopping, odd places and large things."""

import base64
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from processes import refused, running
from suite import Suite
from waiting import until


def test_a_stopped_suite_says_no_error(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "true" }')
    events.wait("run.finished", 60)
    events.stop()
    # Fails by itself where the suite does not end.
    suite.command("down")
    lines = [line for line in suite.logs(lines=10_000).splitlines() if '"level":"error"' in line or " error " in line or "Error" in line]
    assert not lines, "\n".join(lines)


def test_ctrl_c_in_the_middle_of_up_leaves_nothing(binaries, folder):
    suite = Suite(binaries, folder / "data")
    words = [word for word in suite.up_words() if word != "--detach"]
    for after in (0.05, 0.3, 0.8):
        # Where the tests run in the background, what they start would ignore it until it listens to it itself.
        process = subprocess.Popen(
            [suite.martlet, *words], env=suite.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        time.sleep(after)  # The moment itself is what is tried.
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=90)
        assert process.returncode in (0, 1, 130, -signal.SIGINT), said
        # One that was just being started finds out within a second that nobody waits for it.
        until(lambda: not running(suite), 20, f"nothing runs after {after} s: {said}")
    suite.up()
    suite.down()


def test_a_folder_with_spaces_and_other_letters(binaries, folder, repo):
    suite = Suite(binaries, folder / "my data ü")
    suite.up()
    try:
        suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
        repo.push(
            "größer: 数据 🙂",
            **{
                "martlet__yml": "martlet: 1\nproject: small\nmodel: { champion: latest }\npipelines:\n  check:\n    on: { push: {} }\n"
                "    jobs:\n      only:\n        steps:\n          - { id: s, name: 'größer 🙂', run: 'echo \"🙂 $PWD\"; cat \"ä b.txt\"' }\n",
                "ä b__txt": "数据\n",
            },
        )
        ended = until(lambda: [r for r in suite.ask("runs", "list")["items"] if r["state"] == "finished"], 60, "a run")
        assert ended[0]["outcome"] == "succeeded", ended
        said = suite.command("runs", "logs", ended[0]["id"])
        assert "数据" in said and "🙂" in said
        assert "größer: 数据 🙂" in suite.command("runs", "show", ended[0]["id"], "--json")
    finally:
        suite.down()


def test_two_suites_do_not_know_each_other(suite, binaries, folder, repo):
    other = Suite(binaries, folder / "other")
    suite.up()
    other.up()
    try:
        suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
        assert other.ask("repo", "list")["items"] == []
        other.command("down")
        assert suite.is_ready()
        assert not other.is_ready()
    finally:
        other.down()


# MARK: people


def test_who_may_publish_and_in_whose_name(suite, events, folder):
    event = folder / "event.json"
    event.write_text(json.dumps({"id": "1", "source": "/acme", "type": "com.acme.arrived", "data": {"rows": 7}}))
    viewer = suite.ask("tokens", "create", "--role", "viewer", "--name", "vic")["token"]
    operator = suite.ask("tokens", "create", "--role", "operator", "--name", "kim")["token"]
    assert "operator" in refused(suite, "events", "publish", str(event), "--token", viewer)
    first = suite.ask("events", "publish", str(event), token=operator)
    assert first == suite.ask("events", "publish", str(event), token=operator), "the same event is taken once"
    published = until(lambda: [e for e in events.find_all() if e["type"] == "com.acme.arrived"], 30, "it is heard")
    assert [e["actor"] for e in published] == ["user:kim"]
    event.write_text(json.dumps({"id": "1", "source": "/acme", "type": "com.acme.arrived", "data": {"rows": 8}}))
    assert "other content" in refused(suite, "events", "publish", str(event))


def test_the_link_of_a_run_leads_to_its_facts(suite, repo, request):
    # Only links begin with it: the CLI goes on asking the suite of its own folder.
    suite.environment["MARTLET_PUBLIC_URL"] = "https://martlet.example.org/"
    events = request.getfixturevalue("events")
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push_steps('{ run: "echo $MARTLET_RUN_URL; echo \\"<b>last words</b>\\"; exit 3" }')
    ended = events.wait("run.finished", 60)["data"]
    token = suite.ask("tokens", "create", "--role", "viewer")["token"]
    url = f"http://127.0.0.1:{suite.ports['console']}/runs/{ended['run']}"
    with pytest.raises(urllib.error.HTTPError) as stranger:
        urllib.request.urlopen(url, timeout=30)
    assert stranger.value.code == 401
    word = base64.b64encode(f"anybody:{token}".encode()).decode()

    def page():
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {word}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            return answer.read().decode()

    text = until(lambda: page() if "failed" in page() else None, 30, "the page knows the end")
    assert "&lt;b&gt;last words&lt;/b&gt;" in text and "<b>" not in text
    assert f"https://martlet.example.org/runs/{ended['run']}" in suite.command("runs", "logs", ended["run"])


def test_who_pushed_is_known_by_the_address_of_their_token(suite, events, repo):
    suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
    repo.push_model(0.5)
    approval = events.wait("approval.requested", 90)["data"]
    assert approval["requester"] == "user:ada@example.com"
    own = suite.ask("tokens", "create", "--role", "approver", "--name", "boss", "--email", "Ada@Example.com")["token"]
    said = refused(suite, "approve", approval["approval"], "--token", own)
    assert "second person" in said
    other = suite.ask("tokens", "create", "--role", "approver", "--name", "ada", "--email", "ada@elsewhere.org")["token"]
    suite.command("approve", approval["approval"], "--comment", "x", token=other)
    given = events.wait("approval.given", 30)["data"]
    assert given["email"] == "ada@elsewhere.org"
    events.wait("run.finished", 90, pipeline="deploy", outcome="succeeded")


# MARK: drift


def test_a_stage_that_moves_away_from_what_serves_is_told(suite, repo):
    from suite import Events

    suite.environment["MARTLET_DEPLOYER_DRIFT_SECONDS"] = "0.5"
    suite.up()
    events = Events(suite, tell=lambda event: None)
    try:
        suite.command("repo", "add", "fast", str(repo.origin), "--poll", "0.3")
        repo.push_model(0.5)
        suite.command("approve", events.wait("approval.requested", 90)["data"]["approval"])
        events.wait("run.finished", 90, pipeline="deploy", outcome="succeeded")
        repo.push_model(0.6)
        second = events.wait("approval.requested", 90, version="2")["data"]
        suite.command("reject", second["approval"])
        events.wait("run.finished", 90, pipeline="deploy", outcome="failed")
        assert not events.find("deployment.drifted")
        suite.command("models", "transition", "fast", "2", "production")
        drifted = events.wait("deployment.drifted", 60)["data"]
        assert (drifted["version"], drifted["expected"], drifted["cause"]) == (1, [2], "stage")
        shown = until(lambda: [e for e in suite.ask("endpoints", "list")["items"] if e["drift"]], 30, "it is listed")
        assert "version 2" in shown[0]["drift"] and "version 1" in shown[0]["drift"]
        assert "has drifted" in suite.command("status")
        assert "drifted" in suite.command("why", "fast/1")
        suite.command("models", "transition", "fast", "1", "production")
        events.wait("deployment.settled", 60)
        until(lambda: "drifted" not in suite.command("status"), 30, "it is over")
    finally:
        events.stop()


# MARK: large things


def test_a_repository_of_ten_thousand_files(suite, events, repo):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    for number in range(10_000):
        folder = repo.clone / "data" / str(number % 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(f"{number}\n")
    repo.push_steps('{ run: "find data -type f | wc -l" }')
    change = events.wait("change.pushed", 60)["data"]
    assert change["pathsTruncated"]
    ended = events.wait("run.finished", 120)["data"]
    assert ended["outcome"] == "succeeded", ended
    assert "10000" in suite.command("runs", "logs", ended["run"])


def test_a_step_that_prints_very_much_and_one_that_leaves_daemons(suite, events, repo, folder):
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    mark = folder / "daemon"
    repo.push_steps(
        "{ run: \"head -c 300000000 /dev/zero | tr '\\\\\\\\0' 'x' | fold -w 1000; echo; echo the end\" }",
        f'{{ run: "(setsid sleep 987 & echo $! > {mark}) ; (sleep 986 &) ; echo done" }}',
    )
    ended = events.wait("run.finished", 300)["data"]
    assert ended["outcome"] == "succeeded", ended
    # What was read of a step's output is given back to the disk: its file is long, and holds nothing.
    used = sum(path.stat().st_blocks * 512 for path in suite.data.rglob("*") if path.is_file())
    assert used < 150_000_000, f"{used} bytes on disk for 300 MB of chatter"
    pid = mark.read_text().strip()
    until(lambda: not alive(pid), 30, "the step's daemon is gone")


def alive(pid):
    return subprocess.run(["kill", "-0", pid], capture_output=True).returncode == 0
