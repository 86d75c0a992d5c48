"""Schedules: the same ticks as another reader of crontabs, and each tick once whatever happens to clock and service."""

import datetime
import json
import random
import subprocess
from zoneinfo import ZoneInfo

import pytest
from clock import Clock
from croniter import croniter
from processes import another, kill
from suite import Events
from waiting import until

ZONES = ["UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


def field(dice, low, high):
    one = lambda: dice.randint(low, high)  # noqa: E731
    first, last = sorted(dice.sample(range(low, high + 1), 2))
    kinds = [str(one()), f"{first}-{last}", f"{one()},{one()}", f"{first}-{last}/{dice.randint(2, min(9, high))}"]
    return dice.choice(kinds)


def cron(dice):
    minute, hour = dice.choice(["*", "*/7", field(dice, 0, 59)]), dice.choice(["*", "*/5", field(dice, 0, 23)])
    day, weekday = dice.choice([("*", "*"), (field(dice, 1, 28), "*"), ("*", field(dice, 0, 6)), (field(dice, 1, 31), field(dice, 0, 6))])
    return f"{minute} {hour} {day} {dice.choice(['*', field(dice, 1, 12)])} {weekday}"


def changes(zone, day):
    """Whether the clock is put forward or back about that day: there each reader has a rule of its own."""
    noon = datetime.datetime.combine(day, datetime.time(12), zone)
    offsets = {(noon + datetime.timedelta(days=n)).utcoffset() for n in (-1, 0, 1)}
    return len(offsets) > 1


@pytest.mark.parametrize("zone", ZONES)
def test_ticks_are_those_of_crontab(zone, binaries, folder):
    dice = random.Random(zone)
    crons = [cron(dice) for _ in range(40)]
    lines = [f"      - {{ cron: '{one}', timezone: {zone} }}" for one in crons]
    text = "martlet: 1\npipelines:\n  p:\n    on:\n     schedule:\n" + "\n".join(lines)
    (folder / "martlet.yml").write_text(text + "\n    jobs: { j: { steps: [ { run: x } ] } }\n")
    start = datetime.datetime(2026, 1, 30, 7, 59, tzinfo=datetime.timezone.utc)
    words = [f"{binaries}/martlet", "validate", str(folder), "--json", "--ticks", "200", "--after", start.strftime("%Y-%m-%dT%H:%M:%SZ")]
    answer = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert [one["cron"] for one in answer["schedules"]] == crons
    here = ZoneInfo(zone)
    for one in answer["schedules"]:
        ours = [datetime.datetime.fromisoformat(tick) for tick in one["ticks"]]
        # Theirs is asked for the clock on the wall: what it makes of zones is not what is compared.
        wall = croniter(one["cron"], start.astimezone(here).replace(tzinfo=None), ret_type=datetime.datetime)
        theirs = set()
        while (tick := wall.get_next().replace(tzinfo=here).astimezone(datetime.timezone.utc)) <= ours[-1]:
            theirs.add(tick)
        different = [tick for tick in theirs.symmetric_difference(ours) if not changes(here, tick.astimezone(here).date())]
        assert not different, (one["cron"], sorted(different)[:5])
        assert ours == sorted(set(ours))


NIGHTLY = """\
martlet: 1
project: small
pipelines:
  nightly:
    on: { schedule: { cron: '30 * * * *', catch_up: all } }
    jobs: { only: { steps: [ { run: 'echo "due ${{ event.due }}"' } ] } }
"""


def test_each_tick_starts_one_run_whatever_the_clock_and_the_service_do(suite, folder, repo):
    clock = Clock(folder)
    clock.start(suite)
    events = Events(suite, tell=lambda event: None)
    suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
    repo.push(martlet__yml=NIGHTLY)
    events.wait("project.loaded", 60)

    def ticks():
        return [event["data"]["due"] for event in events.find("schedule.ticked")]

    clock.set(3 * 3600)
    until(lambda: len(ticks()) == 3, 60, "three hours have three ticks")
    # Their runs are over: the story of one that a clock put back would not be told in its order.
    until(lambda: len(events.find("run.finished")) == 3, 60, "each of them has its run")
    # Put back, and the service killed besides: what was done is not done again.
    clock.set(2 * 3600)
    another(suite, "trigger-service", kill(suite, "trigger-service"))
    clock.set(5 * 3600)
    until(lambda: len(ticks()) == 5, 60, "two more hours have two more ticks")
    assert ticks() == sorted(set(ticks()))
    until(lambda: len(events.find("run.finished")) == 5, 60, "each tick has its run")
    assert [event["data"]["outcome"] for event in events.find("run.finished")] == ["succeeded"] * 5
    cause = events.find("schedule.ticked")[0]["id"]
    told = suite.ask("why", events.find("run.queued")[0]["data"]["run"])
    assert told["lines"][0]["event"] == cause or "ticked" in told["lines"][0]["text"], told
    # A person wants the first of them once more.
    again = suite.ask("runs", "replay", cause)
    assert again["state"] == "accepted" and again["run"], again
    events.wait("run.finished", 60, run=again["run"])
    story = suite.command("why", again["run"])
    assert "ticked" in story and "once more" in story, story
    events.stop()
