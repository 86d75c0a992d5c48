"""Two evaluators judge at once: of all that beat the same champion one is promoted."""

import test_judging_kills as judging
from suite import Events
from waiting import until

# All scorings go on for as long as a file is there.
SCORE = judging.SCORE.replace("time.sleep(0.5)", "while (folder / 'hold').exists(): time.sleep(0.05)")
PROJECT = judging.PROJECT.replace("on: { push: { branches: [main] } }", "on: { push: { branches: [main] }, manual: {} }")
# A replica works four steps at once: of five, one is the other's.
MOST = 9


def test_of_many_that_beat_the_champion_at_once_one_is_promoted(suite, repo, folder):
    suite.command(*suite.up_words(), "--scale", "evaluator=2", timeout=120)
    events = Events(suite, tell=lambda event: None)
    push(repo, folder, 1)
    suite.command("repo", "add", "judged", str(repo.origin), "--poll", "0.3")
    assert events.wait("run.finished", 90)["data"]["outcome"] == "succeeded"
    (champion,) = [event["data"]["version"] for event in events.find("model.stage_changed")]

    hold, since = folder / "hold", events.mark()
    hold.touch()

    def judged():
        return events.find("step.started", since, verb="evaluate/compare")

    push(repo, folder, 2)
    until(lambda: len(judged()) == 1, 90, "the first is judged")
    while len({event["data"]["worker"] for event in judged()}) < 2:
        asked = len(judged())
        assert asked < MOST, "both evaluators judge"
        suite.command("run", "train", "--project", "judged")
        until(lambda: len(judged()) > asked, 60, "one more is judged")
    asked = len(judged())
    assert not events.find("evaluation.decided", since), "nobody has decided before all were at it"
    hold.unlink()
    until(lambda: len(events.find("run.finished", since)) == asked, 180, f"all {asked} runs have ended")

    ended = [event["data"]["outcome"] for event in events.find("run.finished", since)]
    moved = events.find("model.stage_changed", since, to="production")
    assert len(moved) == 1 and ended.count("succeeded") == 1, (ended, moved)
    promoted = moved[0]["data"]["version"]
    assert promoted != champion
    winners = [event["data"] for event in events.find("evaluation.decided", since) if event["data"]["winner"] == "challenger"]
    assert moved[0]["data"]["decision"] in {decision["decision"] for decision in winners}
    (model,) = suite.ask("models", "list")["items"]
    assert model["stages"]["production"] == [promoted]
    assert [row["result"] for row in suite.ask("models", "verify")["items"]] == ["intact"]
    events.stop()


def push(repo, folder, number):
    judging.push(repo, folder, number, PROJECT, SCORE)
