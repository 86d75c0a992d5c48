"""Suites that are started through `martlet up`, as people start them."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Examples" / "demo"))

from others import Slack  # noqa: E402
from suite import Events, Suite  # noqa: E402

import repository  # noqa: E402


@pytest.fixture(scope="session")
def binaries():
    folder = os.environ.get("MARTLET_BIN") or str(ROOT / ".build" / "debug")
    if not (Path(folder) / "martlet").exists():
        pytest.fail(f"no executables in {folder}: run 'make build', or set MARTLET_BIN")
    return folder


@pytest.fixture
def folder():
    """Short, for the sockets in it, and gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="martlet-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def slack():
    receiver = Slack()
    yield receiver
    receiver.stop()


@pytest.fixture
def suite(binaries, folder):
    """Not started yet: a test may want to spoil something first."""
    one = Suite(binaries, folder / "data")
    (one.data / "secrets").mkdir(parents=True, mode=0o700)
    yield one
    # Also what a test left at work, or that failed half way.
    one.down("--all")


@pytest.fixture
def events(suite):
    """Everything that the suite says, from the beginning; starts it."""
    suite.up()
    tail = Events(suite, tell=lambda event: None)
    yield tail
    tail.stop()


@pytest.fixture
def repo(folder):
    return repository.Repository(folder / "repo")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the services said last."""
    outcome = yield
    report = outcome.get_result()
    suite = item.funcargs.get("suite")
    if report.failed and suite is not None:
        report.sections.append(("services", suite.logs(lines=25)))
