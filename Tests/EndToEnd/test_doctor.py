"""`martlet doctor`: what an installation stands on, looked at from outside."""

import json
import os
import subprocess


def doctor(suite, *words):
    done = subprocess.run(
        [suite.martlet, "doctor", "--json", *words], env=suite.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {item["check"]: item for item in json.loads(done.stdout)["items"]}


def files(suite):
    # SQLite's shared memory is written by whoever reads, too.
    return {
        str(path): None if path.name.endswith("-shm") else path.stat().st_mtime_ns
        for path in suite.data.rglob("*")
        if path.is_file()
    }


def test_it_is_content_with_a_healthy_installation_and_changes_nothing(suite):
    os.chmod(suite.data, 0o700)
    code, found = doctor(suite)
    assert code == 0 and found["databases"]["note"] == "none yet", found
    suite.up()
    code, found = doctor(suite)
    assert code == 0 and found["bus"]["state"] == "ok" and found["services"]["note"] == "8 ready", found
    assert found["databases"]["note"] == "7 whole" and "ports" not in found
    elsewhere = doctor(suite, "--url", f"http://127.0.0.1:{suite.ports['console']}")[1]
    assert elsewhere.keys() == {"bus", "services", "version"} and elsewhere["services"]["state"] == "ok"
    suite.down()
    before = files(suite)
    code, found = doctor(suite)
    assert code == 0 and files(suite) == before


def test_it_finds_what_is_wrong_and_says_what_to_do(suite):
    suite.up()
    os.chmod(suite.data, 0o755)
    secret = suite.data / "secrets" / "WORD"
    secret.write_text("x")
    secret.chmod(0o644)
    code, found = doctor(suite)
    assert code == 1 and str(secret) in found["secrets"]["note"] and "chmod 600" in found["secrets"]["advice"]
    assert "chmod 700" in found["data folder"]["advice"]
    suite.down()
    damage(suite.data / "services" / "notifier" / "state.sqlite")
    code, found = doctor(suite)
    assert code == 1 and "notifier" in found["databases"]["note"] and "restore" in found["databases"]["advice"]
    said = subprocess.run([suite.martlet, "doctor"], env=suite.environment, capture_output=True, text=True, timeout=60)
    assert said.returncode == 1 and "3 bad" in said.stdout and "notifier" in said.stdout


def damage(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    for name in ("state.sqlite-wal", "state.sqlite-shm"):
        (path.parent / name).unlink(missing_ok=True)
