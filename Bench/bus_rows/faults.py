"""How little: memory of an idle bus and of one with a subscriber that never reads; and how soon it is well again
after a kill -9."""

import sqlite3
import time

from .rows import pair, steady
from .stage import CONSUMER, PRODUCER, Failed, Stage
from .table import Figure

# An event is at most 60 KiB.
LARGEST = 60_000


def memory(programs):
    idle, one, large, before, after = [], [], [], [], []
    for _ in range(programs.runs):
        with Stage(programs) as stage:
            bus = stage.service("event-bus")
            # It gives back what its start needed after five seconds.
            time.sleep(programs.size(10, 1))
            idle.append(bus.megabytes())
        with Stage(programs) as stage:
            alone, beside, peak = stuck(programs, stage)
            before.append(alone)
            after.append(beside)
            one.append(peak)
        with Stage(programs) as stage:
            large.append(stuck_by_large_events(programs, stage))
    yield Figure("idle bus, RSS", "Martlet", idle, "MB", at_most=24)
    yield Figure("one stuck subscriber, 1 KiB events, RSS", "Martlet", one, "MB", at_most=160)
    yield Figure("one stuck subscriber, 60 kB events, RSS", "Martlet", large, "MB", at_most=160)
    moved = [(p99(beside) / p99(alone) - 1) * 100 for alone, beside in zip(before, after)]
    note = "p99 at 1,000 events/s: " + ", ".join(
        f"{p99(alone):.2f} → {p99(beside):.2f} ms" for alone, beside in zip(before, after)
    )
    yield Figure("… the others' p99 moved by", "Martlet", moved, "%", at_most=20, note=note)


def p99(said):
    return said["delays"]["p99"] / 1000


def stuck(programs, stage):
    """A follower's delays before and beside a subscriber that never reads, and the bus's memory at its highest."""
    producer, consumer = pair(stage)
    events = programs.size(10_000, 200)
    steady(producer, consumer, programs.size(1000, 100), 1000)
    alone = steady(producer, consumer, events, 1000)
    never_reads(programs, stage)
    # What its buffers take: from there on the bus holds 2,000 messages for it.
    steady(producer, consumer, programs.size(10_000, 200), 5000)
    beside = steady(producer, consumer, events, 1000)
    return alone, beside, stage.running[0].megabytes("VmHWM")


def never_reads(programs, stage):
    stage.start([programs.peer("stuck"), f"tcp://127.0.0.1:{stage.port + 1}", *stage.keys("stuck")], "stuck")


def stuck_by_large_events(programs, stage):
    bus = stage.service("event-bus")
    never_reads(programs, stage)
    producer = stage.ready("produce", "--bytes", LARGEST, name=PRODUCER)
    producer.tell("go", programs.size(5000, 50), 400, 0)
    producer.hear()
    return bus.megabytes("VmHWM")


def kill(programs):
    """2,000 events a second; somebody is killed and, as the supervisor would do, started again."""
    rows = (("the bus", kill_bus), ("a follower's leader", kill_follower))
    for who, killing in rows:
        healed, taken_over, lost, twice = [], [], 0, 0
        for _ in range(programs.runs):
            with Stage(programs) as stage:
                applied, seconds, missing, repeated = under_fire(programs, stage, killing)
            taken_over.append(applied)
            healed.append(seconds)
            lost += missing
            twice += repeated
        what = f"kill -9 of {who}, at 2,000 events/s: "
        if killing is kill_follower:
            yield Figure(what + "another applies", "Martlet", taken_over, "s", at_most=1, durability="D2")
        yield Figure(what + "zero lag", "Martlet", healed, "s", at_most=3, durability="D2")
        yield Figure(what + "lost", "Martlet", [lost], "events", at_most=0)
        yield Figure(what + "applied twice", "Martlet", [twice], "events", at_most=0)


def under_fire(programs, stage, killing):
    producer, consumer = pair(stage)
    standby = stage.bench("consume", name=CONSUMER) if killing is kill_follower else None
    if standby:
        standby.hear()
    per_second, seconds = 2000, programs.size(12, 4)
    producer.tell("go", per_second * seconds, per_second, 0)
    time.sleep(seconds / 3)
    killed = time.monotonic_ns()
    killing(stage, consumer)
    # Whoever was killed does nothing after this.
    gone = time.monotonic_ns()
    producer.hear()
    path = stage.folder / "services" / CONSUMER / "state.sqlite"
    expected = per_second * seconds + 10
    deadline = time.monotonic() + 60
    while count(path) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    for program in [producer, standby or consumer]:
        stage.stop(program)
    taken_over = taking_over(path, killed, gone) if standby else None
    return taken_over, *healing(path, killed, expected)


def kill_bus(stage, _):
    bus = stage.running[0]
    bus.kill()
    stage.running.remove(bus)
    stage.running.insert(0, stage.service("event-bus"))
    stage.running.pop()


def kill_follower(stage, consumer):
    consumer.kill()
    stage.running.remove(consumer)


def count(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM effect").fetchone()[0]


def taking_over(path, killed, gone):
    """Seconds from the kill to the first effect after it: with a dead leader that is another's."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        [first] = db.execute("SELECT min(applied) FROM effect WHERE applied > ?", (gone,)).fetchone()
    if first is None:
        raise Failed("nothing was applied after the kill")
    return (first - killed) / 1e9


# An event this much after its time lags.
LAG = 100_000_000


def healing(path, killed, expected):
    """Seconds from the kill to the last event that lagged because of it; events lost; events applied twice."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        [lagging] = db.execute(
            "SELECT max(applied) FROM effect WHERE applied > ? AND applied - intended > ?", (killed, LAG)
        ).fetchone()
        total, distinct = db.execute("SELECT count(*), count(DISTINCT n) FROM effect").fetchone()
    return (max(lagging or 0, killed) - killed) / 1e9, expected - distinct, total - distinct
