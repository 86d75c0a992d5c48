#!/usr/bin/env python3
"""How fast the registry's MLflow door is, beside MLflow's own server in the same run: `make bench-registry`."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Examples" / "demo"))

from bus_rows import machine  # noqa: E402
from bus_rows.table import Table  # noqa: E402
from registry_rows.load import Refused, Server  # noqa: E402
from registry_rows.rows import ROWS  # noqa: E402
from suite import Suite, free_ports  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


class World:
    """A suite, and MLflow's server with four workers where it is installed."""

    def __init__(self, options, folder):
        self.folder, self.tiny = folder, options.tiny
        self.seconds = 1 if options.tiny else 10
        self.suite = Suite(options.bin, folder / "data")
        self.suite.up()
        token = (self.suite.data / "tokens" / "admin").read_text().strip()
        self.own = Server("Martlet", self.suite.ports["registry"], token)
        self.servers = [self.own]
        self.wait_for_the_token()
        self.peer = None
        mlflow = ROOT / ".build" / "venv-mlflow" / "bin" / "mlflow"
        if mlflow.exists() and not options.alone:
            self.start_peer(mlflow)

    def wait_for_the_token(self):
        """The console has told of it; the registry hears it in a moment."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.own.ask("GET", "/experiments/get?experiment_id=0")
            except Refused:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def start_peer(self, mlflow):
        (port,) = free_ports(1)
        words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "4"]
        words += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        words += ["--artifacts-destination", str(self.folder / "mlflow-artifacts")]
        self.peer = subprocess.Popen(
            [mlflow, *words],
            env=os.environ
            | {
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "PATH": f"{mlflow.parent}:{os.environ['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                self.servers.append(Server("mlflow server, 4 workers", port))
                return
            except OSError:
                time.sleep(0.2)

    def own_resident(self):
        """Megabytes of the registry."""
        address = self.suite.data / "services" / "registry-service" / "http.json"
        return rss([json.loads(address.read_text())["pid"]])

    def moves(self, model):
        """How often a version of it was put into a stage that it was asked into, as the history of its stages has it."""
        database = self.suite.data / "services" / "registry-service" / "state.sqlite"
        words = "SELECT count(*) FROM stage_history WHERE model = ? AND about = version AND to_stage <> 'Archived'"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(words, [model]).fetchone()[0]

    def resident(self):
        """Megabytes by server."""
        yield self.own.name, self.own_resident()
        if self.peer:
            yield self.servers[-1].name, rss(family(self.peer.pid))

    def stop(self):
        self.suite.down()
        if self.peer:
            os.killpg(self.peer.pid, signal.SIGTERM)
            self.peer.wait(30)


def rss(pids):
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def family(pid):
    tasks = Path(f"/proc/{pid}/task")
    children = [c for task in tasks.iterdir() for c in (task / "children").read_text().split()]
    return [pid] + [one for child in children for one in family(int(child))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder with the executables of a release build")
    parser.add_argument("--tiny", action="store_true", help="sizes that show that it works, and say nothing of speed")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("which", nargs="*", metavar="ROW", help=f"which rows: {' '.join(ROWS)}; default all")
    options = parser.parse_args()
    if unknown := set(options.which) - set(ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {' '.join(ROWS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="martlet-registry-"))
    table = Table()
    world = World(options, folder)
    try:
        for name in options.which or ROWS:
            print(name, file=sys.stderr, flush=True)
            try:
                table.block(name, list(ROWS[name](world)), "", "")
            except Refused as error:
                table.failed(name, str(error))
    finally:
        world.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(table.text())
    print("\n" + machine.described())
    sys.exit(0 if table.is_kept or options.tiny and not table.failures else 1)


if __name__ == "__main__":
    main()
