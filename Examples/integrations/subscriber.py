"""Keeps a copy of Martlet's logs in a SQLite file: every event once, in order, whatever is killed or restarted.

A live message is applied when it is exactly the next one. Everything else means "I am behind": then the log's owner is
asked. Event and cursor are one transaction, so there is no moment at which one is there without the other.
"""

import time

from event_file import EventFile
from feed import Feed
from mb1 import Bus, chain_next, chain_start, options, parse

SOURCES = "trigger-service trainer-proxy evaluator registry-service deployer notifier console ingest".split()


class Fork(Exception):
    """The log says something else than it said before: it was restored from a copy, or runs twice."""


class Subscriber:
    def __init__(self, bus, file, sources):
        self.bus, self.file, self.sources = bus, file, sources
        # Whoever is behind, and when to ask: at the start all are.
        self.behind = dict.fromkeys(sources, 0.0)

    def run(self):
        feed = Feed(self.bus, [f"{kind}/{source}" for source in self.sources for kind in "eh"])
        while True:
            message = feed.receive(0.1)
            if message and message.source in self.sources:
                self.hear(message)
            for source in [source for source, due in self.behind.items() if due <= time.monotonic()]:
                self.catch_up(source)

    def hear(self, message):
        epoch, seq, chain = self.file.cursors.get(message.source, (0, 0, ""))
        if message.epoch != epoch:
            if message.epoch > epoch:
                self.behind.setdefault(message.source, 0.0)
        elif message.kind == "E" and message.seq == seq + 1:
            self.apply(message.source, [message])
        elif message.seq > seq or message.kind == "H" and message.seq < seq:
            # What is missing may be on its way, and a heartbeat may be older than what was fetched: ask a moment later.
            self.behind.setdefault(message.source, time.monotonic() + 0.25)
        elif message.kind == "H" and message.chain != chain:
            raise Fork(f"{message.source} at {epoch}/{seq}: {chain} became {message.chain}")

    def apply(self, source, messages):
        """Events that follow on the cursor, each proving what stood before it."""
        epoch, seq, chain = self.file.cursors[source]
        for message in messages:
            if (message.epoch, message.seq, message.chain) != (epoch, seq + 1, chain):
                raise Fork(f"{source} after {epoch}/{seq}: {chain} became {message.chain}")
            seq, chain = message.seq, chain_next(chain, message.topic, message.body)
        self.file.apply(source, messages)

    def ask(self, method, source, params):
        """Status `None`: the owner is not there just now, and is asked again in a second."""
        try:
            reply = self.bus.ask(method, source, {**params, "limit": 256, "maxBytes": 1 << 19})
        except TimeoutError:
            reply = None
        if reply is None or reply.status in (429, 503, 504):
            self.behind[source] = time.monotonic() + 1
            return None, None, None
        if reply.status in (400, 401, 403):
            raise SystemExit(f"{source} is not read: {reply.params.get('error')} ({method}: {reply.status})")
        return reply.status, reply.params, [parse(reply.body[i : i + 3]) for i in range(0, len(reply.body), 3)]

    def catch_up(self, source):
        epoch, after, _ = self.file.cursors.get(source, (0, 0, ""))
        status, head, messages = self.ask("fetch", source, {"epoch": epoch, "after": after})
        if status in (None, 410):
            return self.restore(source) if status else None
        if status != 200:
            raise Fork(f"{source} does not know the place {epoch}/{after}: {status} {head}")
        ends = [*head.get("lineage", []), head]
        if epoch == 0:
            # Never read: before its very first event.
            self.file.apply(source, [], (ends[0]["epoch"], 0, chain_start(source, ends[0]["epoch"])))
        if messages:
            self.apply(source, messages)
        elif epoch and epoch < head["epoch"]:
            self.cross(source, ends)
        if self.file.cursors[source][0] == head["epoch"] and self.file.cursors[source][1] >= head["last"]:
            del self.behind[source]

    def cross(self, source, ends):
        """To the next epoch of a log, whose owner began it at our place."""
        for end, following in zip(ends, ends[1:]):
            if (end["epoch"], end["seq"], end["chain"]) == self.file.cursors[source]:
                start = chain_start(source, following["epoch"], end)
                return self.file.apply(source, [], (following["epoch"], 0, start))
        raise Fork(f"{source} went on from another place than {self.file.cursors[source]}")

    def restore(self, source):
        """The next events are no longer kept: what is left of them, and then what came after."""
        events, place, more = [], {}, True
        while more:
            status, head, messages = self.ask("snapshot", source, place)
            if status != 200:
                return  # more was deleted meanwhile, or nobody answers: asked again from the start
            events += messages
            base, last, more = head["base"], messages[-1:], head["more"]
            place = {"at": {name: base[name] for name in ("epoch", "seq")}}
            place |= {"after": {"epoch": last[0].epoch, "seq": last[0].seq}} if last else {}
        self.file.apply(source, events, (base["epoch"], base["seq"], base["chain"]))


if __name__ == "__main__":
    parser = options("Keeps a copy of Martlet's logs in a SQLite file.")
    parser.add_argument("file", help="the SQLite file")
    parser.add_argument("--source", action="append", help="only this log; may be repeated [all]")
    arguments = parser.parse_args()
    try:
        Subscriber(Bus(arguments), EventFile(arguments.file), arguments.source or SOURCES).run()
    except Fork as fork:
        raise SystemExit(f"stopped, nothing more is applied: {fork}") from None
