"""A real container engine: podman, with settings that work on small machines too."""

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Without systemd nobody carries podman's timers for health checks out: the tests ask for the checks themselves.
ENVIRONMENT = {**os.environ, "CONTAINERS_CONF": str(HERE / "containers.conf"), "DISABLE_HC_SYSTEMD": "true"}


class EngineError(Exception):
    """A command of the engine failed; the text has what it said."""


def run(*words, timeout=600, check=True, environment=None, **options):
    done = subprocess.run(
        [str(word) for word in words],
        env=ENVIRONMENT | (environment or {}),
        **({"stdin": subprocess.DEVNULL} if "input" not in options else {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        **options,
    )
    if check and done.returncode != 0:
        raise EngineError(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def podman(*words, **options):
    return run("podman", *words, **options).stdout.strip()


def inspect(kind, name):
    return json.loads(podman(kind, "inspect", name))[0]


def has_image(name):
    return run("podman", "image", "exists", name, check=False).returncode == 0
