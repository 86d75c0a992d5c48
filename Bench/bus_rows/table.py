"""The results: on the terminal, and as the page docs/benchmarks.md."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One line: what was measured of whom, in each run."""

    what: str
    who: str
    values: list
    unit: str
    # What Martlet promises; `None` for its peers.
    at_least: float | None = None
    at_most: float | None = None
    # `D1` survives kill -9, `D2` is on disk before it is acknowledged or seen.
    durability: str = ""
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def measured(self):
        spread = f" ({number(min(self.values))}–{number(max(self.values))})" if len(self.values) > 1 else ""
        return f"{number(self.median)}{spread} {self.unit}"

    @property
    def promised(self):
        if self.at_least is not None and self.at_least == self.at_most:
            return f"= {number(self.at_least)}"
        if self.at_least is not None:
            return f"≥ {number(self.at_least)}"
        return f"≤ {number(self.at_most)}" if self.at_most is not None else ""

    @property
    def is_kept(self):
        enough = self.at_least is None or self.median >= self.at_least
        return enough and (self.at_most is None or self.median <= self.at_most)

    @property
    def verdict(self):
        if not self.promised:
            return ""
        return "kept" if self.is_kept else "MISSED"


@dataclass
class Table:
    blocks: list = field(default_factory=list)
    failures: list = field(default_factory=list)

    def block(self, name, figures, before, after):
        # A peer that is not installed has no figures.
        self.blocks.append((name, [figure for figure in figures if figure.values], before, after))

    def failed(self, name, why):
        self.failures.append((name, why))

    @property
    def is_kept(self):
        return not self.failures and all(figure.is_kept for _, figures, _, _ in self.blocks for figure in figures)

    def text(self):
        lines = []
        for name, figures, before, after in self.blocks:
            lines.append(f"\n{name}   fsync before: {before}; after: {after}")
            for f in figures:
                who = f"{f.who}{f' ({f.durability})' if f.durability else ''}"
                lines.append(f"  {f.what:44}{who:38}{f.measured:38}{f.promised:12}{f.verdict}")
                if f.note:
                    lines.append(f"      {f.note}")
        lines += [f"\n{name}   NOT MEASURED: {why}" for name, why in self.failures]
        return "\n".join(lines)

    def page(self, command, machine, runs):
        rows = []
        for _, figures, _, _ in self.blocks:
            for f in figures:
                verdict = f" {f.verdict}" if f.verdict == "MISSED" else ""
                rows.append(f"| {f.what} | {f.who} | {f.durability} | {f.measured} | {f.promised}{verdict} |")
        probes = [f"| {name} | {before} | {after} |" for name, _, before, after in self.blocks]
        notes = dict.fromkeys(f"- {f.what}, {f.who}: {f.note}" for _, fs, _, _ in self.blocks for f in fs if f.note)
        return "\n".join(
            [
                f"`Bench/bus.py {command}`: median of {runs} runs, and the range.",
                "",
                *machine.splitlines(),
                "",
                "| What | Who | Durability | Measured | Promised |",
                "|---|---|---|---|---|",
                *rows,
                "",
                *notes,
                "",
                "| Block | fsync of 4 KiB before: median, p99 | after |",
                "|---|---|---|",
                *probes,
                "",
            ]
        )


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
