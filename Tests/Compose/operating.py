"""The commands of docs/operating.md about containers."""

from documented import Commands
from engine import ROOT

DOCUMENT = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = Commands(DOCUMENT.split("## In containers\n", 1)[1].split("\n## ", 1)[0])
command = COMMANDS.take
