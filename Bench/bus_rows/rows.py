"""How fast: full speed, one at a time, at a steady rate, from far behind, and the forwarder by itself."""

import shutil
import statistics

from . import peers
from .stage import CONSUMER, PRODUCER, Stage
from .table import Figure

BYTES = 1024


def speed(programs):
    """Durable publish, bus, durable effect, with as many writers as keep it busy."""
    events = programs.size(50_000, 500)
    martlet, redis, jetstream, sqlite, costs = [], [], [], [], []
    for run in range(programs.runs):
        with Stage(programs) as stage:
            producer, consumer = pair(stage)
            parts = [producer, stage.running[0], consumer]
            before = [part.cpu_seconds for part in parts]
            consumer.tell("expect", events)
            producer.tell("go", events, 0, 256)
            begun = producer.hear()["begun"]
            martlet.append(rate(events, begun, consumer.hear()["last"]))
            costs.append([(part.cpu_seconds - cpu) / events * 1e6 for part, cpu in zip(parts, before)])
        redis += map(reported, peers.of_redis(programs, "speed", events, BYTES))
        jetstream += map(reported, peers.of_nats(programs, "speed", events, BYTES))
        path = programs.folder / f"plain-{run}.sqlite"
        sqlite.append(reported(programs.run("plain_sqlite", path, events, 64)))
        path.unlink()
    what = "publish → bus → effect, full speed"
    cpu = [f"{statistics.median(cost):.0f} µs" for cost in zip(*costs)]
    note = f"CPU for each event: publisher {cpu[0]}, bus {cpu[1]}, follower {cpu[2]}"
    yield Figure(what, "Martlet", martlet, "events/s", at_least=25_000, durability="D2", note=note)
    yield Figure(what, "Redis Streams, group, pipelined", redis, "events/s", durability="D2")
    yield Figure(what, "JetStream, pull, asynchronous", jetstream, "events/s", durability="D1")
    yield Figure("the same rows, no bus", "SQLite, 64 a commit", sqlite, "events/s", durability="D2")


def one(programs):
    """One publisher that waits for each acknowledgement."""
    events = programs.size(3000, 50)
    request, own, redis, jetstream, sqlite = [], [], [], [], []
    for run in range(programs.runs):
        with Stage(programs) as stage:
            stage.service("event-bus")
            stage.service("trigger-service")
            asked = stage.bench("ask", "--events", events, "--bytes", BYTES).hear()
            request.append(reported(asked))
        # Nobody follows: of Redis's nobody reads either.
        with Stage(programs) as stage:
            stage.service("event-bus")
            producer = stage.ready("produce", "--bytes", BYTES, name=PRODUCER)
            producer.tell("go", events, 0, 1)
            said = producer.hear()
            own.append(rate(events, said["begun"], said["ended"]))
        redis += map(reported, peers.of_redis(programs, "one", events, BYTES))
        jetstream += map(reported, peers.of_nats(programs, "one", events, BYTES))
        path = programs.folder / f"one-{run}.sqlite"
        sqlite.append(reported(programs.run("plain_sqlite", path, events, 1)))
        path.unlink()
    # Faster than Redis; without it there is nothing to be faster than.
    faster = statistics.median(redis) if redis else None
    what = "one at a time, acknowledged"
    yield Figure(what, "Martlet, a service's own event", own, "events/s", at_least=faster, durability="D2")
    yield Figure(what, "Martlet, `publish` over the bus", request, "events/s", at_least=faster, durability="D2")
    yield Figure(what, "Redis XADD", redis, "events/s", durability="D2")
    yield Figure(what, "JetStream publish", jetstream, "events/s", durability="D1")
    yield Figure("the same rows, no bus", "SQLite, 1 a commit", sqlite, "events/s", durability="D2")


def latency(programs):
    """An open loop: from the time that an event was meant to be sent to its durable effect."""
    per_second, seconds = 1000, programs.size(10, 1)
    events = per_second * seconds
    martlet, redis, jetstream = [], [], []
    for _ in range(programs.runs):
        with Stage(programs) as stage:
            producer, consumer = pair(stage)
            steady(producer, consumer, programs.size(1000, 100), per_second)
            martlet.append(steady(producer, consumer, events, per_second))
        redis += peers.of_redis(programs, "latency", events, BYTES, per_second)
        jetstream += peers.of_nats(programs, "latency", events, BYTES, per_second)
    for share, limit in (("p50", 1.5), ("p99", 5)):
        what = f"latency at 1,000 events/s, {share}"
        yield Figure(what, "Martlet", delays(martlet, share), "ms", at_most=limit, durability="D2")
        yield Figure(what, "Redis Streams, group", delays(redis, share), "ms", durability="D2")
        yield Figure(what, "JetStream, pull", delays(jetstream, share), "ms", durability="D1")


def catchup(programs):
    """A subscriber that begins when everything has been said."""
    events = programs.size(100_000, 1000)
    martlet, jetstream = [], []
    with Stage(programs) as stage:
        stage.service("event-bus")
        producer = stage.ready("produce", "--bytes", BYTES, name=PRODUCER)
        producer.tell("go", events, 0, 256)
        producer.hear()
        for _ in range(programs.runs):
            consumer = stage.bench("consume", "--expect", events, name=CONSUMER)
            begun = consumer.hear()
            said = begun if "applied" in begun else consumer.hear()
            # From the first batch on: when it comes is up to chance, so that not all begin at once.
            martlet.append(rate(events - 256, said["first"], said["last"]))
            stage.stop(consumer)
            shutil.rmtree(stage.folder / "services" / CONSUMER)
    for _ in range(programs.runs):
        jetstream += map(reported, peers.of_nats(programs, "catchup", events, BYTES))
    what = "catch-up of 100,000 events"
    yield Figure(what, "Martlet", martlet, "events/s", at_least=30_000, durability="D2")
    yield Figure(what, "JetStream, pull", jetstream, "events/s", durability="D1")


def forwarder(programs):
    """The bus by itself, nothing durable: raw sockets on both sides, CURVE, nothing lost."""
    for subscribers, promised, messages in ((1, 50_000, 200_000), (6, 15_000, 60_000)):
        messages = programs.size(messages, 500)
        martlet, proxy = [], []
        for _ in range(programs.runs):
            with Stage(programs) as stage:
                stage.service("event-bus")
                ends = [stage.address, f"tcp://127.0.0.1:{stage.port + 1}"]
                martlet.append(flooded(stage, ends, subscribers, messages))
            with peers.Proxy(programs) as other:
                proxy.append(flooded(other, other.endpoints, subscribers, messages))
        what = f"forwarder, {subscribers} subscriber{'s' if subscribers > 1 else ''}"
        yield Figure(what, "Martlet", martlet, "msg/s each", at_least=promised)
        yield Figure(what, "zmq_proxy", proxy, "msg/s each")


# MARK: how they measure


def pair(stage):
    """A bus with a service that writes and one that follows it."""
    stage.service("event-bus")
    producer = stage.ready("produce", "--bytes", BYTES, name=PRODUCER)
    consumer = stage.ready("consume", name=CONSUMER)
    # What comes first finds the way: the greeting, the first fetch.
    consumer.tell("expect", 10)
    producer.tell("go", 10, 0, 1)
    producer.hear()
    consumer.hear()
    return producer, consumer


def steady(producer, consumer, events, per_second):
    consumer.tell("expect", events)
    producer.tell("go", events, per_second, 0)
    producer.hear()
    return consumer.hear()


def flooded(stage, ends, subscribers, messages):
    return reported(stage.programs.run("flood", *ends, subscribers, messages, BYTES, *stage.keys("flood")))


def rate(events, begun, ended):
    return events / (ended - begun) * 1e9


def reported(said):
    return rate(said["events"], said["begun"], said["ended"])


def delays(runs, share):
    return [run["delays"][share] / 1000 for run in runs]
