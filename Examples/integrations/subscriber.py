"""Keeps a copy of Martlet's logs in a SQLite file: every event once, in order, whatever is killed or restarted.

A live message is applied when it is exactly the next one. Everything else means "I am behind": then the log's owner is
asked. The event and the cursor are one transaction, so there is no moment at which one is there without the other.
"""

import json
import sqlite3
import sys
import time

import zmq
from mb1 import UNKNOWN, Bus, chain_next, chain_start, options, parse

SOURCES = "trigger-service trainer-proxy evaluator registry-service deployer notifier console ingest".split()
ENOUGH = {"limit": 256, "maxBytes": 1 << 19}
TABLES = """
CREATE TABLE IF NOT EXISTS cursor (source TEXT PRIMARY KEY, epoch INTEGER, seq INTEGER, chain TEXT);
CREATE TABLE IF NOT EXISTS event (source TEXT, epoch INTEGER, seq INTEGER, type TEXT, subject TEXT, body TEXT,
                                  PRIMARY KEY (source, epoch, seq));
"""


class Fork(Exception):
    """The log says something else than it said before: it was restored from a copy, or runs twice."""


class Subscriber:
    def __init__(self, bus, path, sources):
        self.bus, self.sources = bus, sources
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + TABLES)
        self.cursors = {row[0]: row[1:] for row in self.db.execute("SELECT source, epoch, seq, chain FROM cursor")}
        # Whoever is behind, and when to ask: at the start all are.
        self.behind = {source: 0.0 for source in sources}

    def run(self):
        feed = self.bus.socket(zmq.SUB, "feed")
        for source in self.sources:
            feed.subscribe(f"e/{source}/")
            feed.subscribe(f"h/{source}")
        while True:
            if feed.poll(100):
                message = parse(feed.recv_multipart())
                if message and message.source in self.sources:
                    self.hear(message)
            for source in [source for source, due in self.behind.items() if due <= time.monotonic()]:
                self.catch_up(source)

    def hear(self, message):
        cursor = self.cursors.get(message.source)
        if cursor is None or message.epoch > cursor[0]:
            self.behind.setdefault(message.source, 0.0)
        elif message.epoch == cursor[0] and message.kind == "E" and message.seq == cursor[1] + 1:
            self.apply([message])
        elif message.epoch == cursor[0] and (message.seq > cursor[1] or message.kind == "H" and message.seq < cursor[1]):
            # What is missing may be on its way, and a heartbeat may be older than what was fetched: ask a moment later.
            self.behind.setdefault(message.source, time.monotonic() + 0.25)
        elif message.epoch == cursor[0] and message.kind == "H" and message.chain != cursor[2]:
            raise Fork(f"{message.source} at {cursor[0]}/{cursor[1]}: {cursor[2]} became {message.chain}")

    def apply(self, messages):
        """Consecutive events of one log, in one transaction with the cursor."""
        told = []
        self.db.execute("BEGIN IMMEDIATE")
        for message in messages:
            epoch, seq, chain = self.cursors[message.source]
            if message.chain != chain and chain != UNKNOWN:
                raise Fork(f"{message.source} at {epoch}/{seq}: {chain} became {message.chain}")
            event = json.loads(message.body)
            row = (message.source, message.epoch, message.seq, event["type"], event["subject"], message.body.decode())
            self.db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
            self.move(message.source, message.epoch, message.seq, chain_next(message.chain, message.topic, message.body))
            told.append(f"{message.source}:{message.seq} {event['type']}")
        self.db.execute("COMMIT")
        print(*told, sep="\n", flush=True)

    def move(self, source, *cursor):
        self.cursors[source] = cursor
        self.db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", (source, *cursor))

    def catch_up(self, source):
        epoch, after, chain = self.cursors.get(source, (0, 0, UNKNOWN))
        try:
            status, head, body = self.bus.ask("fetch", source, {"epoch": epoch, "after": after, **ENOUGH})
        except TimeoutError:
            status, head, body = 504, {}, []
        if status in (429, 503, 504):
            self.behind[source] = time.monotonic() + 1
            return
        if status != 200:
            raise Fork(f"{source} does not know the place {epoch}/{after}: {status} {json.dumps(head)}")
        messages = [parse(body[index : index + 3]) for index in range(0, len(body), 3)]
        if source not in self.cursors:
            # A log that was never read begins with its first event, or, when it is empty, where it stands.
            start = (head["epoch"], 0, chain_start(source, head["epoch"], head.get("parent")))
            self.move(source, *((messages[0].epoch, messages[0].seq - 1, messages[0].chain) if messages else start))
        if messages:
            self.apply(messages)
        epoch, seq, chain = self.cursors[source]
        if epoch < head["epoch"] and not messages:
            parent = head.get("parent") or {}
            if (parent.get("epoch"), parent.get("seq"), parent.get("chain")) != (epoch, seq, chain):
                raise Fork(f"{source} went on from {parent}, not from {epoch}/{seq}")
            self.move(source, head["epoch"], 0, chain_start(source, head["epoch"], parent))
        elif epoch == head["epoch"] and seq >= head["last"]:
            del self.behind[source]


if __name__ == "__main__":
    parser = options("Keeps a copy of Martlet's logs in a SQLite file.")
    parser.add_argument("file", help="the SQLite file")
    parser.add_argument("--source", action="append", help="only this log; may be repeated [all]")
    arguments = parser.parse_args()
    try:
        Subscriber(Bus(arguments), arguments.file, arguments.source or SOURCES).run()
    except Fork as fork:
        sys.exit(f"stopped, nothing more is applied: {fork}")
