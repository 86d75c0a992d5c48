"""The commands of docs/operating.md about containers: each is run as it stands there, by some test."""

from engine import ROOT

DOCUMENT = (ROOT / "docs" / "operating.md").read_text()
SECTION = DOCUMENT.split("## In containers\n", 1)[1].split("\n## ", 1)[0]
# `cd` only says where the next ones are given.
COMMANDS = [
    line.strip() for line in SECTION.splitlines() if line.startswith("    ") and not line.strip().startswith("cd ")
]
ran = []


def command(*containing):
    """The first command with these words that no test has taken yet."""
    for line in COMMANDS:
        if line not in ran and all(words in line for words in containing):
            ran.append(line)
            return line
    raise AssertionError(f"docs/operating.md has no further command with {containing}")
