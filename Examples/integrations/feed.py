"""The bus's live side. Whatever is missed on it is asked for later, by number; here it only has to come again."""

import time

import zmq
from mb1 import parse

# Seconds without a word of the bus, which says something every second: after each, the feed is dialed anew.
PATIENCE = (5.0, 10.0, 20.0, 30.0)


class Feed:
    def __init__(self, bus, prefixes):
        # The bus's own heartbeat last: when it comes, the others are in effect.
        self.bus, self.prefixes, self.sub, self.tries = bus, [*prefixes, "h/event-bus"], None, 0
        self.dial()

    def dial(self):
        if self.sub:
            self.sub.close(linger=0)
        self.sub = self.bus.socket(zmq.SUB, "feed", self.prefixes)
        self.heard = time.monotonic()

    def receive(self, seconds):
        """The next message, or `None`: there was none within that time, or it was not one."""
        if self.sub.poll(int(seconds * 1000)):
            self.heard, self.tries = time.monotonic(), 0
            return parse(self.sub.recv_multipart())
        # A connection may look alive though nothing comes through it any more.
        if time.monotonic() - self.heard > PATIENCE[self.tries]:
            self.tries = min(self.tries + 1, len(PATIENCE) - 1)
            self.dial()
        return None
