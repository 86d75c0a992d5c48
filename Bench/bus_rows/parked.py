"""What it costs to hold very many steps whose work goes on elsewhere."""

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from .stage import Failed, Program
from .table import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "Examples" / "demo"))

from suite import Failed as SuiteFailed  # noqa: E402
from suite import Suite  # noqa: E402

JOBS = 20


def parked(programs):
    """Runs of twenty parallel jobs each, every job one step that an outside worker claims and keeps."""
    steps = programs.size(100_000, 200)
    suite = Suite(programs.binaries, programs.folder / "parked")
    suite.environment["MARTLET_RUNS_AT_ONCE"] = "10000"
    holder = None
    try:
        suite.up()
        add_project(suite, programs.folder / "repository")
        service = json.loads((suite.data / "services" / "trigger-service" / "http.json").read_text())["pid"]
        time.sleep(programs.size(5, 1))
        memory_before, cpu_before = megabytes(service), busy(service, programs.size(30, 2))
        request(suite, steps // JOBS)
        words = [programs.binaries / "BusBench", "hold", "--data", suite.data, "--steps", steps]
        begun = time.monotonic()
        holder = Program(words, programs.folder / "hold.log")
        said = holder.hear(1800)
        took = time.monotonic() - begun
        time.sleep(programs.size(60, 2))
        cpu = busy(service, programs.size(60, 2))
        memory = megabytes(service)
        holder.end()
    except SuiteFailed as error:
        raise Failed(str(error)) from error
    finally:
        if holder:
            holder.end()
        suite.down()
    note = f"claimed in {took:.0f} s by {said['sessions']} sessions; before: {memory_before:.0f} MB, {cpu_before:.2f} %"
    what = f"{steps:,} leased, parked steps: "
    yield Figure(what + "CPU", "trigger-service", [cpu], "% of a core", at_most=1, note=note)
    yield Figure(what + "memory", "trigger-service", [memory - memory_before], "MB more", at_most=60)


def add_project(suite, folder):
    jobs = "".join(f"      j{n}: {{ steps: [ {{ uses: acme/park }} ] }}\n" for n in range(JOBS))
    text = f"martlet: 1\nproject: bench\npipelines:\n  park:\n    on: {{ manual: {{}} }}\n    jobs:\n{jobs}"
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main", folder], check=True)
    (folder / "martlet.yml").write_text(text)
    subprocess.run([*git, "-C", folder, "add", "."], check=True)
    subprocess.run([*git, "-C", folder, "commit", "--quiet", "--message", "bench"], check=True)
    suite.command("repo", "add", "bench", str(folder))
    deadline = time.monotonic() + 60
    while not any(item.get("projects") or item.get("project") for item in suite.ask("repo", "list")["items"]):
        if time.monotonic() > deadline:
            raise Failed(f"the project was not loaded: {suite.command('repo', 'list')}")
        time.sleep(0.2)


def request(suite, runs):
    """Through the console's API, by four clients."""
    token = (suite.data / "tokens" / "admin").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"project": "bench", "pipeline": "park", "parameters": {}})
    problems = []

    def ask(share):
        connection = http.client.HTTPConnection("127.0.0.1", suite.ports["console"], timeout=60)
        for _ in range(share):
            connection.request("POST", "/api/v1/runs", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 202:
                problems.append(f"a run was not accepted: {answer.status} {text.decode()}")
                return

    shares = [runs // 4 + (1 if n < runs % 4 else 0) for n in range(4)]
    threads = [threading.Thread(target=ask, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise Failed(problems[0])


def megabytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise Failed("trigger-service is gone")


def busy(pid, seconds):
    """Percent of a core."""

    def ticks():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before, begun = ticks(), time.monotonic()
    time.sleep(seconds)
    return (ticks() - before) / (time.monotonic() - begun)
