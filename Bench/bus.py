#!/usr/bin/env python3
"""How fast Martlet's bus is, beside its peers in the same run: `make bench-bus`."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Examples" / "demo"))

from bus_rows import faults, machine, parked, peers, rows  # noqa: E402
from bus_rows.stage import Failed, Programs  # noqa: E402
from bus_rows.table import Table  # noqa: E402

# In the order of the table; the name is what BENCH= selects.
ROWS = {
    "speed": rows.speed,
    "one": rows.one,
    "latency": rows.latency,
    "catchup": rows.catchup,
    "forwarder": rows.forwarder,
    "memory": faults.memory,
    "parked": parked.parked,
    "kill": faults.kill,
}


RESULTS = "<!-- Below: written by Bench/bus.py. -->\n"


def write(path, results):
    """What stands above the results, if there is such a page, stays."""
    head = path.read_text().partition(RESULTS)[0] if path.exists() else ""
    path.write_text(head + RESULTS + "\n" + results)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder with the executables of a release build")
    parser.add_argument("--runs", type=int, default=5, help="how often each figure is taken; default 5")
    parser.add_argument("--tiny", action="store_true", help="sizes that show that it works, and say nothing of speed")
    parser.add_argument("--write", metavar="FILE", help="write the table as Markdown as well")
    parser.add_argument("which", nargs="*", metavar="ROW", help=f"which rows: {' '.join(ROWS)}; default all")
    options = parser.parse_args()
    if unknown := set(options.which) - set(ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {' '.join(ROWS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="martlet-bus-"))
    table = Table()
    try:
        programs = Programs(options.bin, folder, runs=options.runs, tiny=options.tiny)
        for name in options.which or ROWS:
            before = machine.fsync(programs)
            print(f"{name} (fsync {before})", file=sys.stderr, flush=True)
            try:
                figures = list(ROWS[name](programs))
            except Failed as error:
                table.failed(name, str(error))
                continue
            table.block(name, figures, before, machine.fsync(programs))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table.text())
    print("\n" + machine.described())
    if missing := peers.missing():
        print(f"not installed, so left out: {', '.join(missing)}; `make bench-setup` installs them")
    if options.write:
        words = " ".join(sys.argv[1:])
        write(Path(options.write), table.page(words, machine.described(), options.runs))
    sys.exit(0 if table.is_kept or options.tiny and not table.failures else 1)


if __name__ == "__main__":
    main()
