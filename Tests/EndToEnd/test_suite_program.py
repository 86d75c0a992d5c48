"""One program under all names, as the image has it."""

import subprocess
from pathlib import Path

import pytest

PROGRAMS = [
    "event-bus", "trigger-service", "trainer-proxy", "evaluator", "registry-service", "deployer", "notifier",
    "console", "martlet",
]  # fmt: skip


def says(program, *words):
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_name_that_it_is_called_by_says_which_program_it_is(binaries, tmp_path, name):
    link = tmp_path / name
    link.symlink_to(Path(binaries) / "martlet-suite")
    own = says(Path(binaries) / name, "--help")
    assert own[0] == 0 and name in own[1], own
    assert says(link, "--help") == own


def test_under_any_other_name_it_is_the_cli(binaries):
    assert says(Path(binaries) / "martlet-suite", "--help") == says(Path(binaries) / "martlet", "--help")
    assert says(Path(binaries) / "martlet-suite", "no-such-command")[0] == 2
