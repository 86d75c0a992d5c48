"""Waiting for a condition, with a deadline."""

import time


def until(fact, seconds, text):
    """What `fact` answers once it answers something true."""
    deadline = time.monotonic() + seconds
    while True:
        value = fact()
        if value:
            return value
        assert time.monotonic() < deadline, f"{text} (not within {seconds} s)"
        time.sleep(0.1)
