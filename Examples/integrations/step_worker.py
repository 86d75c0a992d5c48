"""Serves the step `acme/fairness-check`: do all groups get a positive answer about equally often?

    - uses: acme/fairness-check
      with: { groups: { young: [1, 0, 1], old: [1, 1, 0] }, at_most: 0.2 }

A session holds the steps, a keepalive the session; whoever takes a step over goes on from its checkpoint.
"""

import threading
import time
from contextlib import suppress

from mb1 import Bus, options

VERB, GRANTOR = "acme/fairness-check", "trigger-service"


class Lost(Exception):
    """The step is somebody else's by now, or over."""


class Refused(Exception):
    """Not taken, however often we say it."""


class Worker:
    def __init__(self, arguments):
        self.arguments, self.bus = arguments, Bus(arguments)
        self.session, self.canceled = None, set()

    def run(self):
        threading.Thread(target=self.keep_alive, daemon=True).start()
        while True:
            try:
                reply = self.bus.ask("claim", GRANTOR, {"session": self.session or self.open(), "max": 1}, timeout=20)
            except TimeoutError:
                # What was granted with a lost answer hangs on a session that does not know of it: begin a new one.
                reply = None
            if reply is None or reply.status == 404:
                self.session = None
            elif reply.status == 200:
                for item in reply.params["items"]:
                    self.work(item)
            elif reply.status != 204:
                self.say(f"claim was answered with {reply.status} {reply.params}")
                time.sleep(1)

    def open(self):
        """A session under a name that stays: opening it again gives back at once what the one before still held."""
        while True:
            try:
                reply = self.bus.ask("session.open", GRANTOR, {"worker": self.arguments.worker, "verbs": [VERB]})
                if reply.status == 200:
                    self.ttl, self.session = reply.params["ttl"], reply.params["session"]
                    return self.session
                self.say(f"no session yet: {reply.params.get('error')} ({reply.status})")
            except TimeoutError as problem:
                self.say(f"no session yet: {problem}")
            time.sleep(1)

    def keep_alive(self):
        """In a thread with a socket of its own: a long computation must not cost the session."""
        bus = Bus(self.arguments)
        while True:
            session = self.session
            time.sleep(self.ttl / 3 if session else 0.2)
            if session and session == self.session:
                with suppress(TimeoutError, KeyError):  # the next checkpoint or claim finds out
                    self.canceled = set(bus.ask("session.keepalive", GRANTOR, {"session": session}).params["canceled"])

    def work(self, item):
        step = {"item": item["item"], "token": item["token"]}
        try:
            try:
                self.check(step, item["with"], (item.get("checkpoint") or {}).get("rates", {}))
            except (KeyError, TypeError, ValueError, ZeroDivisionError) as problem:
                self.tell("fail", {**step, "message": f"'with' needs groups of 0 and 1, and at_most: {problem!r}"})
            except Refused as problem:
                self.tell("fail", {**step, "message": str(problem)})
        except (Lost, Refused):
            self.say(f"lost {item['item']} to somebody else, or no word of it is taken")

    def check(self, step, wish, rates):
        self.say(f"took {step['item']}, done already: {sorted(rates)}")
        groups, limit = wish["groups"], float(wish["at_most"])
        for name in sorted(set(groups) - set(rates)):
            rates[name] = sum(groups[name]) / len(groups[name])
            self.tell("checkpoint", {**step, "state": {"rates": rates}})
            time.sleep(self.arguments.pause)
            if step["item"] in self.canceled:
                return self.tell("complete", {**step, "result": {"outcome": "canceled", "outputs": {}}})
        gap = max(rates.values()) - min(rates.values())
        result = {"outcome": "succeeded" if gap <= limit else "not_promoted", "outputs": {"gap": gap, "rates": rates}}
        words = f"the rates of positive answers differ by {gap:.3f}, at most {limit} is allowed"
        self.tell("complete", {**step, "result": {**result, "message": words}})

    def tell(self, method, params):
        """Until it is answered: saying it twice is the same as once."""
        while True:
            try:
                reply = self.bus.ask(method, GRANTOR, params)
            except TimeoutError:
                continue
            if reply.status == 200:
                return self.say(f"{method} of {params['item']}: accepted")
            if reply.status in (400, 409, 413):
                raise (Lost if reply.status == 409 else Refused)(f"{method} was refused: {reply.params.get('error')}")
            self.say(f"{method} was answered with {reply.status} {reply.params}")
            time.sleep(1)

    def say(self, text):
        print(f"{self.arguments.worker}: {text}", flush=True)


if __name__ == "__main__":
    parser = options(f"Serves the step {VERB}.")
    parser.add_argument("--worker", default="fairness-1", help="its name; the same after a restart [%(default)s]")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds of rest after each group, to watch it")
    Worker(parser.parse_args()).run()
