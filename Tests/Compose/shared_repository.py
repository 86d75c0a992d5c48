"""A git repository in the volume that trigger-service sees; its files belong to the user of the containers."""

import os
import shutil
from pathlib import Path

from engine import podman
from repository import Repository
from waiting import until


class SharedRepository(Repository):
    def __init__(self, installation, name):
        self.installation, self.name = installation, name
        volume = podman("volume", "inspect", "--format", "{{.Mountpoint}}", f"{installation.name}_repositories")
        super().__init__(Path(volume) / name)
        self.own(10001)

    def own(self, user):
        for folder, _, files in os.walk(self.origin):
            for path in [folder, *(f"{folder}/{file}" for file in files)]:
                os.chown(path, user, user)

    def push(self, *words, **files):
        self.own(os.getuid())
        try:
            return super().push(*words, **files)
        finally:
            self.own(10001)

    def watch(self):
        """Until what was pushed first has run."""
        self.installation.martlet("repo", "add", self.name, f"/repositories/{self.name}.git", "--poll", "0.5")
        until(self.finished, 90, "the first push has run")

    def runs(self):
        return self.installation.ask("runs", "list", "--project", self.name)["items"]

    def finished(self):
        return [run for run in self.runs() if run.get("outcome")]

    def forget(self):
        shutil.rmtree(self.clone)
