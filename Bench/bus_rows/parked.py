"""What it costs to hold very many steps whose work goes on elsewhere."""

import subprocess
import time

from .stage import Stage
from .table import Figure

JOBS = 20


def parked(programs):
    """Runs of twenty parallel jobs each, every job one step that an outside worker claims and keeps."""
    steps = programs.size(100_000, 200)
    with Stage(programs, {"MARTLET_RUNS_AT_ONCE": "10000"}) as stage:
        stage.service("event-bus")
        service = stage.service("trigger-service")
        person = stage.bench("want", "--repository", repository(stage.folder / "repository"))
        person.hear(60)
        time.sleep(programs.size(10, 1))
        memory_before, cpu_before = service.megabytes(), busy(service, programs.size(30, 2))
        begun = time.monotonic()
        person.tell("run", steps // JOBS)
        holder = stage.bench("hold", "--steps", steps)
        said = holder.hear(2400)
        took = time.monotonic() - begun
        # What it took to get there is written back and given back.
        time.sleep(programs.size(45, 2))
        cpu = busy(service, programs.size(60, 2))
        memory = service.megabytes()
    note = f"claimed in {took:.0f} s by {said['sessions']} sessions; before: {memory_before:.0f} MB, {cpu_before:.2f} %"
    what = f"{steps:,} leased, parked steps: "
    yield Figure(what + "CPU", "trigger-service", [cpu], "% of a core", at_most=1, note=note)
    yield Figure(what + "memory", "trigger-service", [memory - memory_before], "MB more", at_most=60)


def repository(folder):
    jobs = "".join(f"      j{n}: {{ steps: [ {{ uses: acme/park }} ] }}\n" for n in range(JOBS))
    text = f"martlet: 1\nproject: bench\npipelines:\n  park:\n    on: {{ manual: {{}} }}\n    jobs:\n{jobs}"
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main", folder], check=True)
    (folder / "martlet.yml").write_text(text)
    subprocess.run([*git, "-C", folder, "add", "."], check=True)
    subprocess.run([*git, "-C", folder, "commit", "--quiet", "--message", "bench"], check=True)
    return folder


def busy(program, seconds):
    """Percent of a core."""
    before, begun = program.cpu_seconds, time.monotonic()
    time.sleep(seconds)
    return (program.cpu_seconds - before) / (time.monotonic() - begun) * 100
