"""The subscriber's SQLite file: events and how far each log was read, always written together."""

import json
import sqlite3

from mb1 import chain_next, genuine

TABLES = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS cursor (source TEXT PRIMARY KEY, epoch INTEGER, seq INTEGER, chain TEXT);
CREATE TABLE IF NOT EXISTS event (source TEXT, epoch INTEGER, seq INTEGER, type TEXT, subject TEXT, body TEXT,
                                  PRIMARY KEY (source, epoch, seq));
"""


class EventFile:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(TABLES)
        # Source to (epoch, seq, chain): the last event applied, and the chain with it.
        self.cursors = {row[0]: row[1:] for row in self.db.execute("SELECT source, epoch, seq, chain FROM cursor")}

    def apply(self, source, messages, cursor=None):
        """Events and the cursor after them, in one transaction; then they are told."""
        if messages and cursor is None:
            last = messages[-1]
            cursor = (last.epoch, last.seq, chain_next(last.chain, last.topic, last.body))
        told = []
        self.db.execute("BEGIN IMMEDIATE")
        for message in messages:
            if not genuine(message):
                # It has its place in the log, and nobody is to believe it.
                told.append(f"{source}:{message.seq} left out: its body is not what its topic says")
                continue
            event = json.loads(message.body)
            row = (source, message.epoch, message.seq, event["type"], event["subject"], message.body.decode())
            if self.db.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)", row).rowcount:
                told.append(f"{source}:{message.seq} {event['type']}")
        self.db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?)", (source, *cursor))
        self.db.execute("COMMIT")
        self.cursors[source] = cursor
        for line in told:
            print(line, flush=True)
