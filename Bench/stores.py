#!/usr/bin/env python3
"""The figures of backups and of the artifact store, measured on this machine: `make bench-stores`."""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Examples" / "demo"))

from suite import Suite  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
EVENTS, VERSIONS = 1_000_000, 100_000


# MARK: backups


def fill(data):
    """A million events in the trigger-service's log, of the size that events have, and a hundred thousand versions: rows of the
    registry's own tables, and their events in its log."""
    body = json.dumps({"specversion": "1.0", "type": "dev.martlet.step.finished.v1", "data": {"text": "x" * 420}}).encode()

    def events(service, count):
        path = data / "services" / service / "state.sqlite"
        with sqlite3.connect(path) as db:
            [(epoch, last)] = db.execute("SELECT epoch, last FROM log WHERE source = ?", [service])
            now = int(time.time() * 1000)
            db.executemany(
                "INSERT INTO outbox (source, epoch, seq, id, topic, prev, body, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (service, epoch, last + n, f"id-{n}", f"e/{service}/dev.martlet.step.finished.v1", f"{n:032x}", body, now)
                    for n in range(1, count + 1)
                ),
            )
            db.execute("UPDATE log SET last = last + ?, records = records + ? WHERE source = ?", [count, count, service])

    events("trigger-service", EVENTS)
    events("registry-service", VERSIONS)
    with sqlite3.connect(data / "services" / "registry-service" / "state.sqlite") as db:
        columns = db.execute("PRAGMA table_info(version)").fetchall()
        needed = [(name, kind) for _, name, kind, required, default, key in columns if (required and default is None) or key]
        names = ", ".join(name for name, _ in needed)
        marks = ", ".join("?" for _ in needed)
        db.execute("PRAGMA foreign_keys = OFF")

        def row(number):
            texts = {"model": "bench", "run": f"run-{number}", "digest": f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"}
            return [texts.get(name, f"x{number}") if kind == "TEXT" else (b"{}" if kind == "BLOB" else number) for name, kind in needed]

        db.execute("PRAGMA ignore_check_constraints = ON")
        db.executemany(f"INSERT INTO version ({names}) VALUES ({marks})", (row(number) for number in range(1, VERSIONS + 1)))


class Writer(threading.Thread):
    """Writes to a service's database as its service does, without a pause, and notes its longest wait for the lock."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.longest, self.over, self.count = path, 0.0, threading.Event(), 0

    def run(self):
        db = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        while not self.over.is_set():
            begin = time.monotonic()
            db.execute("BEGIN IMMEDIATE")
            self.longest = max(self.longest, time.monotonic() - begin)
            db.execute("UPDATE log SET last = last")
            db.execute("COMMIT")
            self.count += 1
            time.sleep(0.002)


def backup(binaries, folder):
    suite = Suite(binaries, folder / "data")
    suite.up()
    suite.down()
    fill(suite.data)
    size = sum(path.stat().st_size for path in suite.data.glob("services/*/state.sqlite"))
    writers = [Writer(path) for path in suite.data.glob("services/*/state.sqlite")]
    for writer in writers:
        writer.start()
    time.sleep(2)
    usual = max(writer.longest for writer in writers) * 1000
    for writer in writers:
        writer.longest = 0
    record = json.loads(suite.command("backup", str(folder / "backup"), "--json", timeout=300))
    for writer in writers:
        writer.over.set()
    for writer in writers:
        writer.join()
    longest = max(writer.longest for writer in writers) * 1000
    return [
        (f"backup of {EVENTS:,} events, {VERSIONS:,} versions ({size / 1e6:.0f} MB)", f"{record['seconds']:.1f} s", "≤ 30 s", record["seconds"] <= 30),
        ("… writers held for", f"{record['heldMilliseconds']:.1f} ms", "≤ 50 ms", record["heldMilliseconds"] <= 50),
        (f"… longest wait of {len(writers)} busy writers (without: {usual:.0f} ms)", f"{longest:.0f} ms", "≤ 50 ms", longest <= 50),
    ]


# MARK: artifacts


def plain_copy(source, target):
    """What the disk does: bytes read, written and synchronized, without looking at them."""
    begin = time.monotonic()
    with open(source, "rb") as reading, open(target, "wb") as writing:
        while piece := reading.read(1 << 20):
            writing.write(piece)
        writing.flush()
        os.fsync(writing.fileno())
    up = time.monotonic() - begin
    begin = time.monotonic()
    with open(target, "rb") as reading:
        while reading.read(1 << 20):
            pass
    return up, time.monotonic() - begin


def artifacts(binaries, folder, megabytes=1024):
    source = folder / "large"
    with open(source, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
        os.fsync(file.fileno())
    program = str(Path(binaries).resolve() / "ArtifactBench")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    rows = []

    def measure(name, data, environment, peer):
        done = json.loads(subprocess.run([program, str(source), "--data", str(data)], env=environment, check=True, capture_output=True, text=True).stdout)
        for way, theirs in zip(("up", "down"), peer):
            mine = done["bytes"] / done[way] / 1e6
            share = theirs / done[way] * 100
            rows.append((f"1 GiB {way}, {name}", f"{mine:.0f} MB/s, {share:.0f} %", "≥ 70 %", share >= 70))
        rows.append((f"… memory at its highest, {name}", f"{done['peak_kib'] / 1024:.0f} MiB", "constant", done["peak_kib"] < 400_000))

    plain = [plain_copy(source, folder / "copy") for _ in range(3)]
    measure("folder (of the disk's speed)", folder / "data", environment, [min(times) for times in zip(*plain)])
    os.unlink(folder / "copy")
    server = subprocess.Popen(
        [str(ROOT / ".build" / "venv" / "bin" / "python"), str(ROOT / "Tests" / "Support" / "s3.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        bucket = json.loads(server.stdout.readline())
        secrets = folder / "s3" / "secrets"
        secrets.mkdir(parents=True)
        (secrets / "S3_ACCESS_KEY_ID").write_text(bucket["key"])
        (secrets / "S3_SECRET_ACCESS_KEY").write_text(bucket["secret"])
        environment |= {"MARTLET_ARTIFACTS": f"s3://{bucket['bucket']}/bench", "MARTLET_S3_ENDPOINT": bucket["endpoint"]}
        peer = subprocess.run(
            [str(ROOT / ".build" / "venv" / "bin" / "python"), "-c", BOTO, json.dumps(bucket), str(source)],
            check=True, capture_output=True, text=True,
        )
        measure("moto's S3 (of boto3's speed there)", folder / "s3", environment, json.loads(peer.stdout))
    finally:
        server.stdin.close()
        server.wait(30)
    return rows


BOTO = """
import boto3, json, sys, time
bucket = json.loads(sys.argv[1])
s3 = boto3.client("s3", endpoint_url=bucket["endpoint"], region_name="us-east-1",
                  aws_access_key_id=bucket["key"], aws_secret_access_key=bucket["secret"])
begin = time.monotonic(); s3.upload_file(sys.argv[2], bucket["bucket"], "peer"); up = time.monotonic() - begin
begin = time.monotonic()
for piece in s3.get_object(Bucket=bucket["bucket"], Key="peer")["Body"].iter_chunks(1 << 20): pass
print(json.dumps([up, time.monotonic() - begin]))
s3.delete_object(Bucket=bucket["bucket"], Key="peer")
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder with the executables of a release build")
    parser.add_argument("which", nargs="*", default=["backup", "artifacts"])
    options = parser.parse_args()
    rows = []
    for which in options.which:
        folder = Path(tempfile.mkdtemp(prefix="martlet-bench-"))
        try:
            rows += {"backup": backup, "artifacts": artifacts}[which](options.bin, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{'FIGURE':75}{'MEASURED':24}PROMISED  ({os.cpu_count()} cores)")
    for name, measured, promised, kept in rows:
        print(f"{name:75}{measured:24}{promised:10}{'kept' if kept else 'MISSED'}")
    sys.exit(0 if all(row[3] for row in rows) else 1)


if __name__ == "__main__":
    main()
