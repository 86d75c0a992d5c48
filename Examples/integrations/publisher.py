"""Publishes one CloudEvent. When this ends with 0, the event is on disk, once, however often it had to be sent."""

import json
import sys
import time
import uuid

from mb1 import Bus, options

LATER = (429, 503, 504)


def publish(bus, event, patience=60.0):
    """Sends the same event until it is answered: the same id and content are the same event, so nothing is doubled."""
    body = json.dumps(event).encode()
    deadline = time.monotonic() + patience
    pause = 0.1
    while True:
        try:
            reply = bus.ask("publish", "ingest", {}, [body])
        except TimeoutError as problem:
            # It may have been stored, and only the answer was lost.
            reply, why = None, str(problem)
        else:
            if reply.status not in LATER:
                return reply
            why = f"{reply.status} {reply.params.get('error', '')}"
        if time.monotonic() + pause > deadline:
            raise TimeoutError(f"not acknowledged within {patience:.0f} s: {why}")
        print(f"trying again in {pause:.1f} s: {why}", file=sys.stderr, flush=True)
        time.sleep(pause)
        pause = min(pause * 2, 5.0)


def main():
    parser = options("Publishes one CloudEvent, acknowledged after it is on disk.")
    parser.add_argument("type", help="for example com.acme.data.arrived; dev.martlet.* is Martlet's own")
    parser.add_argument("data", nargs="?", default="{}", help="JSON [%(default)s]")
    parser.add_argument("--source", default="/acme/example", help="who says it [%(default)s]")
    parser.add_argument("--subject", help="what it is about, for example dataset/churn")
    parser.add_argument("--id", default=str(uuid.uuid4()), help="unique for each source [a new one]")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds [%(default)s]")
    arguments = parser.parse_args()
    event = {
        "specversion": "1.0",
        "id": arguments.id,
        "source": arguments.source,
        "type": arguments.type,
        "subject": arguments.subject or arguments.source,
        "data": json.loads(arguments.data),
    }
    try:
        reply = publish(Bus(arguments), event, arguments.patience)
    except TimeoutError as problem:
        sys.exit(f"{problem}; run it again with --id {arguments.id}")
    if reply.status != 200:
        sys.exit(f"refused ({reply.status}): {reply.params.get('error')}")
    print(f"{arguments.id} is {reply.params['source']}:{reply.params['seq']}")


if __name__ == "__main__":
    main()
