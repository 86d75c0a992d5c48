"""What the programs of Examples/integrations do when the bus refuses them, or is away."""

import threading

import pytest
import zmq
from kit import elsewhere, program  # noqa: F401

import mb1


def test_a_key_without_the_right_hears_why(elsewhere, suite, folder, program):
    suite.command("keys", "generate", "narrow")
    suite.command("keys", "authorize", "narrow", "--sub", "feed")
    narrow = [*elsewhere[:2], "--keys", suite.data / "keys", "--client", "narrow"]
    working, reading = program("step_worker.py", *narrow), program("subscriber.py", folder / "copy.sqlite", *narrow)
    working.wait("no session yet", "'narrow' has no right to 'session.open'", seconds=90)
    assert reading.ended(90) == 1
    reading.wait("is not read", "'narrow' has no right to 'fetch'")


def test_a_question_that_was_given_up_is_not_asked_later(folder):
    bus = mb1.Bus(mb1.options("").parse_args(["--bus", f"ipc://{folder}"]))
    with pytest.raises(TimeoutError):
        bus.ask("early", "nobody", {}, timeout=0.3)
    router, heard = bus.context.socket(zmq.ROUTER), []
    router.bind(f"ipc://{folder}/requests")

    def answer():
        while b"late" not in heard:
            frames = router.recv_multipart()
            heard.append(frames[4])
            router.send_multipart([*frames[:4], b"200", b"{}"])

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    assert bus.ask("late", "nobody", {}, timeout=60).status == 200
    answering.join(10)
    router.close(linger=1000)
    assert heard == [b"late"]
