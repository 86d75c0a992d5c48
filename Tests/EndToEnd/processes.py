"""A suite's processes from outside: who they are, and their end."""

import json
import os
import signal
import subprocess
import sys

from waiting import until


def pid(suite, service):
    """`None` while it starts: the address of the one before is gone by then."""
    try:
        return json.loads((suite.data / "services" / service / "http.json").read_text())["pid"]
    except FileNotFoundError:
        return None


def kill(suite, service):
    """`kill -9`, once there is one to kill. Returns who it was, whom another one replaces."""
    victim = until(lambda: pid(suite, service), 60, f"{service} runs")
    os.kill(victim, signal.SIGKILL)
    return victim


def another(suite, service, former):
    """Waits for the process that replaces `former`."""
    return until(lambda: (now := pid(suite, service)) not in (None, former) and now, 60, f"another {service} runs")


def running(suite):
    """Whose command line names the data folder: every service has it there."""
    return subprocess.run(["pgrep", "--full", str(suite.data)], capture_output=True, text=True).stdout.split()


def refused(suite, *words, code=1):
    """What a command that must fail says."""
    done = subprocess.run(
        [suite.martlet, *words],
        env=suite.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, f"ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def passes_as_root(test, binaries):
    """Runs one test, `FILE::NAME`, once more: in a namespace of its own, where this user counts as root and may mount."""
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        env=os.environ | {"MARTLET_BIN": str(binaries)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\nwhere users may make no namespaces, run this as root"
