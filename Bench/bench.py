#!/usr/bin/env python3
"""The figures that Martlet promises, measured on this machine: `make bench`."""

import argparse
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Examples" / "demo"))

import causes  # noqa: E402
import schedules as ticks  # noqa: E402
from project_file import project_file  # noqa: E402
from suite import Events, Failed, Suite, free_ports  # noqa: E402

PROJECT = """\
martlet: 1
project: bench
pipelines:
  five:
    on: { manual: {} }
    jobs:
      only: { steps: [ { run: "true" }, { run: "true" }, { run: "true" }, { run: "true" }, { run: "true" } ] }
  one:
    on: { manual: {} }
    jobs: { only: { steps: [ { run: "true" } ] } }
  gate:
    on: { manual: {} }
    jobs: { only: { environment: prod, steps: [ { run: "true" } ] } }
environments: { prod: { approvals: { required: 1 } } }
"""


def rows_of(*rows):
    """`(figure, measured, promised, kept)`; a figure without a limit promises nothing, and `kept` is then `None`."""
    return [(name, measured, f"≤ {limit}" if limit else "", kept) for name, measured, limit, kept in rows]


class Stage(Suite):
    """A suite, and how much is to be done with it."""

    def __init__(self, binaries, data, tiny):
        super().__init__(binaries, data)
        self.tiny = tiny

    def size(self, full, tiny):
        return tiny if self.tiny else full


# MARK: the measurements


def ready(suite):
    times = []
    for _ in range(suite.size(5, 1)):
        begin = time.monotonic()
        suite.up()
        times.append(time.monotonic() - begin)
        suite.down()
    median = statistics.median(times)
    spread = f"{median:.2f} s ({min(times):.2f}–{max(times):.2f})"
    return rows_of(("all services ready, median of 5", spread, "1.5 s", median <= 1.5))


def idle(suite):
    suite.up()
    # Past the first minute: a deadline that lies in the past by then would keep somebody awake.
    time.sleep(suite.size(70, 0))
    pids = processes(suite)
    before, begin = cpu_seconds(pids), time.monotonic()
    time.sleep(suite.size(30, 1))
    share = (cpu_seconds(pids) - before) / (time.monotonic() - begin) * 100
    memory, shared_once = resident(pids), proportional(pids)
    suite.down()
    return rows_of(
        (f"idle memory, RSS of {len(pids)} processes added up", f"{memory:.0f} MB", "200 MB", memory <= 200),
        ("… with shared libraries counted once (PSS)", f"{shared_once:.0f} MB", "200 MB", shared_once <= 200),
        ("idle CPU over 30 s", f"{share:.2f} %", "1 % of a core", share <= 1),
    )


def steps(suite):
    events = prepare(suite)
    # The first two warm caches that a suite in use has warm.
    times = step_times(suite, events, suite.size(22, 3))[2:]
    events.stop()
    suite.down()
    median = statistics.median(times) * 1000
    spread = f"{median:.0f} ms ({min(times) * 1000:.0f}–{max(times) * 1000:.0f})"
    return rows_of(("five `run: true` steps, cause to finish, median of 20", spread, "150 ms", median <= 150))


def step_times(suite, events, count):
    """Seconds from the cause of a run of five steps to its end, one run after another."""
    times = []
    for _ in range(count):
        run = suite.ask("run", "five", "--project", "bench")["run"]
        finished = events.wait("run.finished", 60, run=run)
        if finished["data"]["outcome"] != "succeeded":
            raise Failed(f"a run ended {finished['data']['outcome']}: {finished['data'].get('message')}")
        queued = events.wait("run.queued", 10, run=run)
        [cause] = [event for event in events.find_all() if event["id"] == queued["data"]["cause"]]
        times.append(at(finished) - at(cause))
    return times


def waiting(suite):
    """Runs that wait for people are rows."""
    count = suite.size(10_000, 20)
    events = prepare(suite)

    def fill():
        request_runs(suite, count, "gate")
        deadline = time.monotonic() + 1800
        while len(events.find("approval.requested")) < count:
            if time.monotonic() > deadline:
                raise Failed(f"{len(events.find('approval.requested'))} of {count} runs wait within 30 minutes")
            time.sleep(0.2)

    return cost_of(f"{count} runs that wait for approval", fill, suite, events)


def cost_of(what, fill, suite, events):
    """What the trigger-service takes for what `fill` brings about, while nothing happens to it."""
    pid = json.loads((suite.data / "services" / "trigger-service" / "http.json").read_text())["pid"]
    time.sleep(suite.size(5, 0))
    before, threads = resident([pid]), thread_count(pid)
    fill()
    time.sleep(suite.size(10, 0))
    more, begin, cpu = resident([pid]) - before, time.monotonic(), cpu_seconds([pid])
    time.sleep(suite.size(30, 1))
    share = (cpu_seconds([pid]) - cpu) / (time.monotonic() - begin) * 100
    grown = thread_count(pid) - threads
    begin = time.monotonic()
    run = suite.ask("run", "one", "--project", "bench")["run"]
    ended = events.wait("run.finished", 60, run=run)
    took = time.monotonic() - begin
    events.stop()
    suite.down()
    passes = ended["data"]["outcome"] == "succeeded"
    rows = rows_of(
        (f"{what}: trigger-service's RSS", f"{more:.0f} MB more", "80 MB more", more <= 80),
        ("… its CPU over 30 s", f"{share:.2f} %", "1 % of a core", share <= 1),
        ("… its threads", f"{grown} more", "8 more", grown <= 8),
    )
    return [*rows, ("… another run passes them in", f"{took * 1000:.0f} ms", "succeeds", passes)]


def queued(suite):
    count = suite.size(1000, 20)
    events = prepare(suite)
    watch = Watch(suite)
    begin = time.monotonic()
    request_runs(suite, count)
    accepted = time.monotonic() - begin
    deadline = begin + 1800
    while len(done := events.find("run.finished")) < count:
        if time.monotonic() > deadline:
            raise Failed(f"{len(done)} of {count} runs finished within 30 minutes")
        time.sleep(0.2)
    took = time.monotonic() - begin
    watch.stop()
    if watch.problem:
        raise Failed(watch.problem)
    if failed := [event for event in done if event["data"]["outcome"] != "succeeded"]:
        raise Failed(f"{len(failed)} of {count} runs failed, the first: {failed[0]['data'].get('message')}")
    events.stop()
    suite.down()
    slowest = sorted(watch.latencies)[int(len(watch.latencies) * 0.95)] * 1000
    median = statistics.median(watch.latencies) * 1000
    return rows_of(
        (f"{count} runs queued at once: finished", f"{len(done)} in {took:.0f} s", f"{count}", True),
        ("… all accepted after", f"{accepted:.1f} s", None, None),
        ("… CLI latency meanwhile, median (p95)", f"{median:.0f} ms ({slowest:.0f} ms)", "100 ms", median <= 100),
        ("… memory at its highest", f"{watch.highest:.0f} MB", None, None),
    )


# MARK: how they measure


class Watch:
    """Asks the CLI again and again, and looks at the memory."""

    def __init__(self, suite):
        self.latencies, self.highest, self.problem, self.over = [], 0.0, None, threading.Event()
        self.thread = threading.Thread(target=self.run, args=(suite,), daemon=True)
        self.thread.start()

    def run(self, suite):
        try:
            while True:
                begin = time.monotonic()
                suite.command("runs", "list", "--json")
                self.latencies.append(time.monotonic() - begin)
                self.highest = max(self.highest, resident(processes(suite)))
                if self.over.wait(0.25):
                    return
        except (Failed, OSError) as error:
            # A figure that was not watched to its end is none.
            self.problem = f"the watch ended: {error}"

    def stop(self):
        self.over.set()
        self.thread.join(60)


def prepare(suite):
    """A running suite that knows the bench's project."""
    folder = suite.data.parent / "repository"
    if not folder.exists():
        make_repository(folder, PROJECT)
    suite.up()
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "bench", str(folder))
    events.wait("project.loaded", 60, project="bench")
    deadline = time.monotonic() + 30
    while not suite.ask("repo", "list")["items"] and time.monotonic() < deadline:
        time.sleep(0.1)
    return events


def make_repository(folder, text):
    """One commit with a project file."""
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main", folder], check=True)
    (folder / "martlet.yml").write_text(text)
    subprocess.run([*git, "-C", folder, "add", "."], check=True)
    subprocess.run([*git, "-C", folder, "commit", "--quiet", "--message", "bench"], check=True)


def request_runs(suite, count, pipeline="one"):
    """Through the API: a thousand processes of the CLI would measure themselves."""
    token = (suite.data / "tokens" / "admin").read_text().strip()
    body = json.dumps({"project": "bench", "pipeline": pipeline, "parameters": {}})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(share):
        connection = http.client.HTTPConnection("127.0.0.1", suite.ports["console"], timeout=60)
        for _ in range(share):
            connection.request("POST", "/api/v1/runs", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 202:
                raise Failed(f"a run was not accepted: {answer.status} {text.decode()}")

    threads = [threading.Thread(target=ask, args=(count // 4,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def processes(suite):
    """The supervisor and every service."""
    files = suite.data.glob("services/*/http.json")
    return [json.loads(f.read_text())["pid"] for f in files] + [json.loads((suite.data / "up.json").read_text())["pid"]]


def cpu_seconds(pids):
    ticks = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(f[11]) + int(f[12]) for f in fields) / ticks


def proportional(pids):
    """Megabytes that the processes really take: a page that nine of them share is counted once, not nine times."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total * 1024 / 1e6


def resident(pids):
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def thread_count(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def free_port():
    return free_ports(1)[0]


def at(event):
    return datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def schedules(suite):
    return ticks.schedules(suite, sys.modules[__name__])


def webhooks(suite):
    return causes.webhooks(suite, sys.modules[__name__])


def verdicts(suite):
    return causes.verdicts(suite, sys.modules[__name__])


VERDICTS = {True: "kept", False: "MISSED", None: ""}
MEASUREMENTS = {
    "ready": ready,
    "idle": idle,
    "steps": steps,
    "queued": queued,
    "waiting": waiting,
    "schedules": schedules,
    "file": project_file,
    "webhooks": webhooks,
    "verdicts": verdicts,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder with the executables of a release build")
    parser.add_argument("--tiny", action="store_true", help="sizes that show that it works, and say nothing of speed")
    parser.add_argument("which", nargs="*", default=list(MEASUREMENTS))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows, failed = [], False
    for which in options.which:
        folder = Path(tempfile.mkdtemp(prefix="martlet-bench-"))
        suite = Stage(options.bin, folder / "data", options.tiny)
        try:
            rows += MEASUREMENTS[which](suite)
        except Failed as error:
            failed = True
            rows.append((which, str(error), "-", False))
            print(suite.logs(), file=sys.stderr)
        finally:
            suite.down()
            shutil.rmtree(folder, ignore_errors=True)
    cores = os.cpu_count()
    print(f"\n{'FIGURE':55}{'MEASURED':28}{'PROMISED':18}({cores} cores)")
    for name, measured, promised, kept in rows:
        print(f"{name:55}{measured:28}{promised:18}{VERDICTS[kept]}".rstrip())
    missed = not options.tiny and any(row[3] is False for row in rows)
    sys.exit(1 if failed or missed else 0)


if __name__ == "__main__":
    main()
