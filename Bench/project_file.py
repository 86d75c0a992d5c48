"""How long a project file takes: one of 10,000 lines to be read or refused, the plan of a matrix of 1,000 jobs."""

import json
import statistics
import subprocess
import time


def lines(count, broken):
    """A pipeline of so many lines; the broken one has a mistake in every job."""
    text = ["martlet: 1", "variables: { word: x }", "pipelines:", "  p:", "    on: { push: { branches: [main] } }", "    jobs:"]
    number = 0
    while len(text) < count - 5:
        needs = f"      needs: [job{number - 1}]" if number and not broken else "      needs: [nobody]" if broken else "      needs: []"
        text += [
            f"      job{number}:",
            "  " + needs,
            "        if: ${{ success() && vars.word == 'x' }}",
            "        steps:",
            f"          - {{ id: one, run: 'echo ${{{{ vars.word }}}} {number}' }}",
        ]
        number += 1
    return "\n".join(text) + "\n"


MATRIX = """\
martlet: 1
pipelines:
  p:
    on: { push: {} }
    jobs:
      wide:
        matrix: { a: [AXIS], b: [AXIS], c: [AXIS] }
        steps: [ { run: 'echo ${{ matrix.a }}' } ]
      last: { needs: wide, steps: [ { run: x } ] }
"""


def project_file(suite):
    folder = suite.data.parent / "repository"
    folder.mkdir()
    event = folder / "push.json"
    event.write_text(json.dumps({"type": "change.pushed", "data": {"branch": "main"}}))
    validate = [suite.martlet, "validate", str(folder)]
    plan = [suite.martlet, "plan", "--event", str(event), "--repo", str(folder)]
    count, values = suite.size(10_000, 100), suite.size(10, 2)
    matrix = MATRIX.replace("AXIS", ", ".join(str(n) for n in range(values)))
    rows = []
    for name, text, words, code in [
        (f"martlet.yml of {count:,} lines, read", lines(count, broken=False), validate, 0),
        ("… with an error in each of its jobs, refused", lines(count, broken=True), validate, 1),
        (f"plan of a matrix of {values**3:,} jobs", matrix, plan, 0),
    ]:
        (folder / "martlet.yml").write_text(text)
        times = []
        for _ in range(suite.size(7, 1)):
            begin = time.monotonic()
            done = subprocess.run(words, capture_output=True, text=True)
            times.append((time.monotonic() - begin) * 1000)
            if done.returncode != code:
                raise RuntimeError(f"{name}: ended with {done.returncode}: {done.stderr[:500]}{done.stdout[:500]}")
        median = statistics.median(times)
        spread = f"{median:.0f} ms ({min(times):.0f}–{max(times):.0f})"
        rows.append((f"{name}, whole process", spread, "≤ 300 ms", median <= 300))
    return rows
