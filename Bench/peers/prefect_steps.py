"""Five shell steps as a Prefect flow, state kept by a local Prefect server on SQLite; prints the seconds of each run as JSON."""

import json
import subprocess
import sys
import time

from prefect import flow, task


@task
def step():
    subprocess.run(["sh", "-c", "true"], check=True)


@flow
def five():
    for _ in range(5):
        step()


times = []
for _ in range(int(sys.argv[1])):
    begin = time.monotonic()
    five()
    times.append(time.monotonic() - begin)
print(json.dumps(times), flush=True)
