#!/usr/bin/env python3
"""Removes one guard after another in a copy of the sources, and sees to it that a test notices.

A guard whose loss nobody notices is a guard that may be lost: then this ends with 1. Run it by `make mutants`, or
`make mutants ONLY=lock` for the guards with that word in their names.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from guards import GUARDS

ROOT = Path(__file__).resolve().parents[2]
SWIFT = shlex.split(os.environ.get("SWIFT", "swift"))
COPIED = ["Package.swift", "Package.resolved", "Services", "Shared", "Tests", "Examples", "docs", "Makefile", "README.md", ".ci"]


def copy_sources(tree):
    """Only what differs is written, so that a second run builds little."""
    tree.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = ROOT / name, tree / name
        if source.is_dir():
            subprocess.run(["rsync", "-a", "--checksum", "--delete", f"{source}/", f"{target}/"], check=True)
        elif source.exists():
            if not target.exists() or target.read_bytes() != source.read_bytes():
                shutil.copy2(source, target)


def keep_only_needed(tree, guard):
    """The manifest without what the tests of this guard do not stand on: it would be built as well, each time."""
    names = ", ".join(f'"{name}"' for name in sorted({test.split(".")[0] for test in guard.tests.split("|")}))
    (tree / "Package.swift").write_text((ROOT / "Package.swift").read_text() + f"""
var kept: Set<String> = [{names}]
while true {{
    let needed = package.targets.filter {{ kept.contains($0.name) }}.flatMap(\\.dependencies).compactMap {{ dependency in
        switch dependency {{
        case .targetItem(let name, _), .byNameItem(let name, _): name
        default: nil as String?
        }}
    }}
    if kept.isSuperset(of: needed) {{ break }}
    kept.formUnion(needed)
}}
package.targets.removeAll {{ !kept.contains($0.name) }}
package.products.removeAll {{ ($0 as? Product.Executable).map {{ !$0.targets.allSatisfy(kept.contains) }} ?? false }}
""")


def swift(tree, *arguments, guard, timeout):
    environment = dict(os.environ, SIMULATE_SECONDS=str(guard.seconds))
    if guard.scenario:
        environment["SIMULATE_SCENARIO"] = guard.scenario
    try:
        return subprocess.run(
            SWIFT + list(arguments) + ["--package-path", str(tree), "--scratch-path", str(tree.parent / "build")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, env=environment)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, 124, (late.stdout or b"").decode(errors="replace"))


def killers(output):
    """The names of the tests that failed."""
    names = re.findall(r"Test (\"[^\"]+\"|\w+\(\))[^\n]* (?:failed after|recorded an issue)", output)
    return sorted(set(names)) or (["the process died"] if "signal" in output or "Fatal" in output else [])


def try_without(guard, tree):
    """What noticed that the guard was gone; nothing: it survived."""
    path = tree / guard.file
    text = path.read_text()
    path.write_text(text.replace(guard.text, guard.without))
    try:
        keep_only_needed(tree, guard)
        built = swift(tree, "build", "--build-tests", guard=guard, timeout=2400)
        if built.returncode != 0:
            errors = [line for line in built.stdout.splitlines() if "error:" in line]
            return None, "it does not compile without its guard: " + (errors or ["?"])[0]
        ran = swift(tree, "test", "--skip-build", "--filter", guard.tests, guard=guard, timeout=900)
        if ran.returncode == 124:
            return ["it never ended"], None
        return (killers(ran.stdout) if ran.returncode else []), None
    finally:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="guards with this word in their names")
    parser.add_argument("--check", action="store_true", help="only see whether every guard stands where it is said to")
    options = parser.parse_args()
    guards = [guard for guard in GUARDS if options.only.lower() in guard.name.lower()]
    # Those that need the same targets follow each other: less is built.
    guards.sort(key=lambda guard: guard.tests)
    stale = [guard for guard in guards if (ROOT / guard.file).read_text().count(guard.text) != 1]
    for guard in stale:
        print(f"stale     {guard.name}: its text is not found exactly once in {guard.file}")
    if stale or not guards or options.check:
        return 1 if stale or not guards else 0

    tree = ROOT / ".build/mutants/tree"
    copy_sources(tree)
    survivors = 0
    for number, guard in enumerate(guards, 1):
        begin = time.monotonic()
        found, problem = try_without(guard, tree)
        seconds = f"{time.monotonic() - begin:.0f} s"
        if found:
            print(f"killed    {number}/{len(guards)} {guard.name} ({seconds})\n          by {', '.join(found[:4])}", flush=True)
        else:
            survivors += 1
            print(f"SURVIVED  {number}/{len(guards)} {guard.name} ({seconds}) {problem or 'in ' + guard.tests}", flush=True)
    print(f"{len(guards) - survivors} of {len(guards)} guards are missed when they are gone")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
