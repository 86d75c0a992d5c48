"""Every setting is where operators look for it: in docs/operating.md, in compose.yaml, and in .env.example."""

import re

from conftest import ROOT

COMPOSE = (ROOT / "compose" / "compose.yaml").read_text()
EXAMPLE = (ROOT / "compose" / ".env.example").read_text()
DOCUMENT = (ROOT / "docs" / "operating.md").read_text()
# The image says where the data is, and has one Python.
OF_THE_IMAGE = {"MARTLET_HOME", "MARTLET_TRAINER_PYTHON"}


def read_by_services():
    """What the settings of services look for in their environment."""
    kit = ROOT / "Shared" / "ServiceKit"
    files = [*ROOT.glob("Services/*/Settings.swift"), *kit.glob("*Settings.swift"), kit / "ServiceOptions.swift"]
    names = {name for file in files for name in re.findall(r'"(MARTLET_[A-Z0-9_]+)"', file.read_text())}
    assert len(names) > 25
    return names


def test_what_services_read_is_explained_and_can_be_set_in_containers():
    names = read_by_services()
    assert {name for name in names if f"`{name}`" not in DOCUMENT} == set()
    assert {name for name in names if f" {name}: " not in COMPOSE} == OF_THE_IMAGE


def test_the_example_has_each_setting_of_the_compose_file_with_what_counts_without_it():
    read = set(re.findall(r"\$\{(MARTLET_[A-Z0-9_]+):-([^}]*)\}", COMPOSE))
    assert len(read) > 40 and read == set(re.findall(r"^#(MARTLET_[A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))
