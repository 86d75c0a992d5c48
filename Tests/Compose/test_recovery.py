"""Backups of all volumes: while everything runs, put back with everything down, and by themselves."""

from pathlib import Path

import operating
import pytest
from engine import podman, run
from waiting import until


def ended(repository, pipeline):
    return {run["id"] for run in repository.finished() if run["pipeline"] == pipeline}


def served(installation):
    return [(one["name"], one["version"], one["state"]) for one in installation.ask("endpoints", "list")["items"]]


@pytest.fixture
def backups(up):
    """The volume that they lie in, as the engine has it on its host."""
    return Path(podman("volume", "inspect", "--format", "{{.Mountpoint}}", f"{up.name}_backups"))


def test_a_backup_of_all_volumes_is_put_back_and_all_goes_on(up, outsider, lake):
    serving = served(up)
    kept = ended(lake, "check")
    said = up.shell(operating.command("run --rm backup backup"))
    assert "backed up: 7 services" in said and "docker compose run --rm backup restore" in said, said
    lake.push("after the backup")
    until(lambda: ended(lake, "check") > kept, 60, "a run that the backup lacks")
    restore = operating.command("run --rm backup restore")
    early = run("bash", "-euc", restore, environment=up.shell_environment(), cwd=up.folder, check=False)
    assert early.returncode == 1 and "runs on /volumes/" in early.stdout + early.stderr, early
    up.shell(operating.command("docker compose stop"))
    said = up.shell(restore)
    assert "restored: console, deployer" in said and "of each volume" in said, said
    up.up()
    up.until_healthy()
    until(lambda: all(s["state"] == "ready" for s in up.ask("status")["services"]), 60, "nobody has halted")
    until(lambda: served(up) == serving, 60, "what served serves")
    # What was done after the backup is not known any more; its commit is, by git, and is run anew.
    until(lambda: len(ended(lake, "check")) > len(kept) and kept < ended(lake, "check"), 90, "the newest commit is run")
    epochs = up.martlet(
        "events", "tail", "--bus", up.bus, "--key-file", outsider.keys / "acme.key", "--since", "start",
        "--type", "bus.epoch_begun", "--limit", "7", "--json",
    )  # fmt: skip
    assert len(epochs.splitlines()) == 7, "every log goes on under a new epoch"


def test_scheduled_backups_keep_the_newest_and_copy_no_artifact_twice(up, backups):
    up.settings |= {"MARTLET_BACKUP_EVERY": "2s", "MARTLET_BACKUP_KEEP": "2"}
    up.shell(operating.command("--profile backups"))
    (name,) = up.containers("backup")
    seen = set()

    def complete():
        now = {path.parent for path in backups.glob("*Z/backup.json")}
        seen.update(now)
        return now

    try:
        until(lambda: complete() and len(seen) >= 4, 60, "four backups were taken")
        until(lambda: len(complete()) <= 2, 20, "the newest two are kept")
        artifacts = [path for path in max(complete()).glob("artifacts/**/*") if path.is_file()]
        assert artifacts and all(path.stat().st_nlink > 1 for path in artifacts)
        until(lambda: up.ask("status")["backups"]["last"], 30, "the status tells of them")
    finally:
        podman("rm", "--force", "--time", "10", name)
        del up.settings["MARTLET_BACKUP_EVERY"], up.settings["MARTLET_BACKUP_KEEP"]


def test_half_of_a_restore_starts_nothing(up, built):
    volume = podman("volume", "create")
    data = ["--volume", f"{volume}:/data", "--network", "none", "--read-only"]
    try:
        podman("run", "--rm", *data, built, "touch", "/data/restore.json")
        done = run("podman", "run", "--rm", *data, built, "console", check=False, timeout=60)
        assert done.returncode == 1 and "/data is half restored" in done.stderr, done.stderr
    finally:
        podman("volume", "rm", "--force", volume)
