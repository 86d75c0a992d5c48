"""The figures of the registry: `make bench-registry`."""

import os
import socket
import sys
import time

from bus_rows.table import Figure

from registry_rows.load import Answer, Server, load, percentile


def new_run(server):
    return server.ask("POST", "/runs/create", {"experiment_id": "0", "start_time": int(time.time() * 1000)})["run"][
        "info"
    ]["run_id"]


def put(server, path, body):
    other = Server(server.name, server.port, root="/api/2.0/mlflow-artifacts/artifacts/")
    other.head = server.head
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(other.request("PUT", path) [:-2] + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = Answer()
        while not answer.take(connection.recv(1 << 16)):
            pass


def new_model(server, name):
    """A model whose versions have files."""
    run = new_run(server)
    put(server, f"0/{run}/artifacts/model/MLmodel", b"flavors: {}\n")
    server.ask("POST", "/registered-models/create", {"name": name})
    return {"name": name, "source": f"mlflow-artifacts:/0/{run}/artifacts/model", "run_id": run}


def log_metric(world):
    for connections, promised, slowest in [(8, 4000, 10), (1, 800, None)]:
        for server in world.servers:
            run = new_run(server)

            def make(number):
                body = {"run_id": run, "key": "loss", "value": number / 7, "timestamp": 1 + number, "step": number}
                return server.request("POST", "/runs/log-metric", body)

            rate, times = load(server, make, connections, seconds=world.seconds)
            own = server is world.own
            yield Figure(
                f"log-metric, {connections} connection{'s' * (connections > 1)}", server.name, [rate], "/s",
                at_least=promised if own else None, durability="D2",
            )
            if slowest:
                yield Figure(
                    "… slowest of 100 (p99)", server.name, [percentile(times, 0.99)], "ms",
                    at_most=slowest if own else None,
                )


def create_version(world):
    for server in world.servers:
        wish = new_model(server, "many")
        rate, _ = load(
            server, lambda n: server.request("POST", "/model-versions/create", wish | {"description": str(n)}), 8,
            seconds=world.seconds,
        )
        yield Figure(
            "create a model version, 8 connections", server.name, [rate], "/s",
            at_least=2000 if server is world.own else None, durability="D2",
        )


def get_model(world):
    count = 50 if world.tiny else 1000
    for server in world.servers:
        wish = new_model(server, "thousand")
        load(
            server, lambda n: server.request("POST", "/model-versions/create", wish | {"description": str(n)}), 4,
            count=count,
        )
        ask = server.request("GET", "/registered-models/get?name=thousand")
        rate, _ = load(server, lambda _: ask, 8, seconds=world.seconds)
        yield Figure(
            f"get a model that has {count} versions", server.name, [rate], "/s",
            at_least=5000 if server is world.own else None,
        )


def fill(server, models, versions, runs, batches):
    """Makes what is searched, as clients make it: a request for each version and for each thousand metrics. Answers a run.

    Most of the time goes into commits, the registry's and those of the services that follow it: what is asked for at the same
    time shares them, up to 64 at once.
    """
    begin = time.perf_counter()

    def tell(what):
        print(f"  {what} after {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)

    for model in range(models):
        wish = new_model(server, f"m{model}")
        load(
            server, lambda n: server.request("POST", "/model-versions/create", wish | {"description": str(n)}), 32,
            count=versions,
        )
        if (model + 1) % 10 == 0:
            tell(f"{(model + 1) * versions} versions")
    names = [new_run(server) for _ in range(runs)]

    def log(number):
        batch, run = divmod(number, runs)
        metrics = [
            {"key": f"k{n % 50}", "value": (n * 7919 + run) % 1000, "timestamp": batch * 1000 + n, "step": n}
            for n in range(1000)
        ]
        return server.request("POST", "/runs/log-batch", {"run_id": names[run], "metrics": metrics})

    load(server, log, min(8, runs * batches), count=runs * batches)
    tell(f"{runs * batches * 1000} metrics")
    return names[-1]


def search(world):
    """Only here: to fill the peer takes hours."""
    server = world.own
    models, versions, runs, batches = (2, 50, 3, 2) if world.tiny else (100, 1000, 200, 5)
    run = fill(server, models, versions, runs, batches)
    asked = {
        "a page of versions": ("GET", "/model-versions/search?max_results=100", None),
        "… of one model": ("GET", "/model-versions/search?max_results=100&filter=name%3D'm1'", None),
        "… by a tag that none has": ("GET", "/model-versions/search?max_results=100&filter=tags.k%3D'v'", None),
        "a page of runs, by a metric": (
            "POST",
            "/runs/search",
            {"experiment_ids": ["0"], "filter": "metrics.k7 < 500", "order_by": ["metrics.k7 DESC"], "max_results": 20},
        ),
        "a page of a metric's history": ("GET", f"/metrics/get-history?run_id={run}&metric_key=k7&max_results=100", None),
    }
    size = f"{models * versions} versions, {runs * batches * 1000} metrics"
    for what, words in asked.items():
        ask = server.request(*words)
        _, times = load(server, lambda _: ask, 1, count=3 if world.tiny else 50)
        yield Figure(f"{what}, median", server.name, [percentile(times, 0.5)], "ms", at_most=20, note=size)


class Promoter:
    """One client with a version of its own: into production, into staging, and so on, each time only if somebody else has sent
    it to the archive meanwhile. So each move that is acknowledged is one that happened."""

    def __init__(self, server, number):
        self.server, self.version = server, str(number + 1)
        self.moved, self.refused = 0, 0

    def request(self, stage, **further):
        body = {"name": "contended", "version": self.version, "stage": stage, **further}
        return self.server.request("POST", "/model-versions/transition-stage", body)

    def next(self, _):
        stage = "Staging" if self.moved % 2 else "Production"
        return self.request(stage, archive_existing_versions=True, expect="Archived")

    def told(self, status):
        if status == 200:
            self.moved += 1
        else:
            self.refused += 1


def transitions(world):
    server = world.own
    wish = new_model(server, "contended")
    load(server, lambda n: server.request("POST", "/model-versions/create", wish | {"description": str(n)}), 4, count=16)
    clients = [Promoter(server, number) for number in range(16)]
    load(server, lambda n: clients[n].request("Archived"), 1, count=16)
    rate, _ = load(
        server, [client.next for client in clients], 16, seconds=world.seconds, accepts=(200, 403),
        told=lambda slot, status: clients[slot].told(status),
    )
    moved, refused = sum(c.moved for c in clients), sum(c.refused for c in clients)
    found = server.ask("GET", "/model-versions/search?filter=name%3D'contended'")["model_versions"]
    holders = [version for version in found if version["current_stage"] == "Production"]
    yield Figure(
        "stage transitions, 16 clients, compare-and-set", server.name, [rate], "/s", at_least=1000, durability="D2",
        note=f"{moved} moved, {refused} refused because nobody had moved them meanwhile",
    )
    yield Figure("… holders of the stage in the end", server.name, [len(holders)], "", at_most=1)
    lost = moved - world.moves("contended")
    yield Figure("… acknowledged, and not in the history", server.name, [lost], "", at_least=0, at_most=0)


def artifacts(world):
    size = (8 if world.tiny else 1024) << 20
    piece = os.urandom(1 << 20)
    disk = disk_speed(world.folder, piece, size)
    server = world.own
    run = new_run(server)
    path = f"0/{run}/artifacts/large.bin"
    before = world.own_resident()
    most = before
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=600) as connection:
        head = f"PUT /api/2.0/mlflow-artifacts/artifacts/{path} HTTP/1.1\r\n{server.head}Content-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        for number in range(size >> 20):
            connection.sendall(piece)
            if number % 32 == 0:
                most = max(most, world.own_resident())
        answer = Answer()
        while not answer.take(connection.recv(1 << 16)):
            pass
    up = (size >> 20) / (time.perf_counter() - begin)
    received, begin = 0, time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=600) as connection:
        head = f"GET /api/2.0/mlflow-artifacts/artifacts/{path} HTTP/1.1\r\n{server.head}\r\n"
        connection.sendall(head.encode())
        looked = 0
        while received < size:
            received += len(connection.recv(1 << 20))
            if received - looked > 32 << 20:
                looked = received
                most = max(most, world.own_resident())
    down = (size >> 20) / (time.perf_counter() - begin)
    yield Figure("store a file of 1 GB", server.name, [up / disk * 100], "% of the disk", at_least=70, note=f"{up:.0f} of {disk:.0f} MB/s")
    yield Figure("… memory that both took, at most", server.name, [most - before], "MB", at_most=32)
    yield Figure("fetch it", server.name, [down / disk * 100], "% of the disk", at_least=70, note=f"{down:.0f} MB/s")


def disk_speed(folder, piece, size):
    """Megabytes a second that a plain program writes and syncs."""
    path = folder / "plain.bin"
    begin = time.perf_counter()
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    speed = (size >> 20) / (time.perf_counter() - begin)
    path.unlink()
    return speed


def memory(world):
    """After all that was asked before."""
    for name, megabytes in world.resident():
        yield Figure(
            "resident memory after the rows above", name, [megabytes], "MB",
            at_most=90 if name == world.own.name else None,
        )


ROWS = {
    "metrics": log_metric,
    "versions": create_version,
    "model": get_model,
    "transitions": transitions,
    "search": search,
    "artifacts": artifacts,
    "memory": memory,
}
