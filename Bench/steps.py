#!/usr/bin/env python3
"""What a step costs beside its command: five shell steps in Martlet, Prefect and Dagster, on this machine, in turns."""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench import Suite, free_port, prepare, step_times

HERE = Path(__file__).resolve().parent
PEERS = {
    # What Prefect 3.4 needs to start with today's releases of what it builds on.
    "prefect": ["prefect==3.4.*", "fastapi<0.117", "starlette<0.48", "pydantic<2.12", "importlib_metadata"],
    "dagster": ["dagster"],
}
ROUNDS = 3
RUNS = 10


def install(folder):
    """Each peer in an environment of its own, from PyPI."""
    for name, packages in PEERS.items():
        venv = folder / name
        if (venv / "ready").exists():
            continue
        print(f"installing {name} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        (venv / "ready").touch()


def version(venv, name):
    code = f"import importlib.metadata as m; print(m.version('{name}'))"
    return subprocess.run([venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def times_of(script, venv, environment, count):
    done = subprocess.run(
        [venv / "bin" / "python", HERE / "peers" / script, str(count)],
        env=environment, capture_output=True, text=True, timeout=600,
    )
    if done.returncode != 0:
        raise SystemExit(f"{script} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


class Prefect:
    """A server of its own, as Prefect's documentation starts one."""

    def __init__(self, venv, folder):
        self.venv, port = venv, free_port()
        self.environment = os.environ | {
            "PREFECT_HOME": str(folder), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
        }
        words = [venv / "bin" / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self.server = subprocess.Popen(
            words, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 120
        while not self.is_ready(f"http://127.0.0.1:{port}/api/health"):
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise SystemExit("Prefect's server did not start")
            time.sleep(0.2)

    @staticmethod
    def is_ready(url):
        try:
            return urllib.request.urlopen(url, timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def times(self, count):
        return times_of("prefect_steps.py", self.venv, self.environment, count)

    def stop(self):
        os.killpg(self.server.pid, signal.SIGTERM)
        self.server.wait(30)


class Dagster:
    def __init__(self, venv, folder):
        folder.mkdir(parents=True)
        (folder / "dagster.yaml").write_text("telemetry: { enabled: false }\n")
        self.venv, self.environment = venv, os.environ | {"DAGSTER_HOME": str(folder)}

    def times(self, count):
        return times_of("dagster_steps.py", self.venv, self.environment, count)

    def stop(self):
        """It has no process of its own."""


class Martlet:
    def __init__(self, binaries, folder):
        self.suite = Suite(binaries, folder)
        self.events = prepare(self.suite)

    def times(self, count):
        return step_times(self.suite, self.events, count)

    def stop(self):
        self.events.stop()
        self.suite.down()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder with the executables of a release build")
    parser.add_argument("--peers", required=True, type=Path, help="where the peers are installed")
    options = parser.parse_args()
    install(options.peers)
    folder = Path(tempfile.mkdtemp(prefix="martlet-bench-"))
    runners = {}
    try:
        runners["Martlet: asked for over its API, worked by its services"] = Martlet(options.bin, folder / "data")
        prefect, dagster = options.peers / "prefect", options.peers / "dagster"
        name = f"Prefect {version(prefect, 'prefect')}: the flow called in one process, its server beside it"
        runners[name] = Prefect(prefect, folder / "prefect")
        name = f"Dagster {version(dagster, 'dagster')}: the job executed in one process"
        runners[name] = Dagster(dagster, folder / "dagster")
        times = {name: [] for name in runners}
        for _ in range(ROUNDS):
            for name, runner in runners.items():
                # The first two of each turn warm what a running system has warm.
                times[name] += runner.times(RUNS + 2)[2:]
    finally:
        for runner in runners.values():
            runner.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nFive `sh -c true` steps one after another, median of {ROUNDS} × {RUNS} runs ({os.cpu_count()} cores)\n")
    for name, values in times.items():
        median = statistics.median(values) * 1000
        low, high = min(values) * 1000, max(values) * 1000
        print(f"{name:75}{median:7.0f} ms ({low:.0f}–{high:.0f}); {median / 5:.0f} ms a step")


if __name__ == "__main__":
    main()
