"""The benchmarks are programs that work; what they measure is not looked at here."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("row", ["speed", "one", "latency", "catchup", "forwarder", "memory", "parked", "kill"])
def test_the_benchmark_of_the_bus_measures(binaries, row):
    words = [sys.executable, ROOT / "Bench" / "bus.py", "--bin", binaries, "--tiny", row]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fsync before" in done.stdout


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("ready", "all services ready"),
        ("idle", "idle CPU"),
        ("steps", "five `run: true` steps"),
        ("queued", "20 runs queued at once: finished"),
        ("waiting", "another run passes them in"),
        ("schedules", "50 schedules in 10 projects"),
        ("file", "plan of a matrix of 8 jobs"),
        ("webhooks", "signed GitHub pushes stored"),
        ("verdicts", "why-not of an event"),
    ],
)
def test_the_benchmark_of_the_suite_measures(binaries, row, figure):
    words = [sys.executable, ROOT / "Bench" / "bench.py", "--bin", binaries, "--tiny", row]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figure in done.stdout


def test_the_benchmark_of_the_registry_measures(binaries):
    words = [sys.executable, ROOT / "Bench" / "registry.py", "--bin", binaries, "--tiny", "--alone"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ["log-metric", "create a model version", "get a model", "compare-and-set", "a page of runs", "fetch it"]:
        assert what in done.stdout
