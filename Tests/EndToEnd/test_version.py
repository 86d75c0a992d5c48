"""Every program says which Martlet it is, without a data folder or a bus."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROGRAMS = [
    "event-bus", "trigger-service", "trainer-proxy", "evaluator", "registry-service", "deployer", "notifier",
    "console", "martlet",
]  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_tells_the_version(binaries, tmp_path, name):
    nowhere = {key: word for key, word in os.environ.items() if not key.startswith("MARTLET_")} | {"HOME": str(tmp_path)}
    done = subprocess.run(
        [Path(binaries) / name, "--version"], env=nowhere, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and re.fullmatch(r"Martlet \d+\.\d+\.\d+\n", done.stdout), (done.stdout, done.stderr)
    assert list(tmp_path.iterdir()) == []
