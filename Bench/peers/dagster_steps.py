"""Five shell steps as a Dagster job in one process, its events kept by an instance on SQLite; prints the seconds of each run as JSON."""

import json
import subprocess
import sys
import time

from dagster import DagsterInstance, In, Nothing, job, op


@op(ins={"after": In(Nothing)})
def step():
    subprocess.run(["sh", "-c", "true"], check=True)


@op
def first():
    subprocess.run(["sh", "-c", "true"], check=True)


@job
def five():
    step.alias("e")(step.alias("d")(step.alias("c")(step.alias("b")(first()))))


# As quiet as the others.
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}

times = []
with DagsterInstance.get() as instance:
    for _ in range(int(sys.argv[1])):
        begin = time.monotonic()
        assert five.execute_in_process(instance=instance, run_config=QUIET).success
        times.append(time.monotonic() - begin)
print(json.dumps(times), flush=True)
