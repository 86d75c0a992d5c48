"""Ten thousand schedules of which none is due: they have one timer together."""

import contextlib
import sqlite3
import time
from datetime import datetime, timedelta, timezone

# What is told of a project's pipelines has to fit into one event: they are several.
PROJECTS = 10


def project_file(name, number, each):
    """A pipeline for each schedule. They are due one after another from in two days on, the last in ten months."""
    first, apart = datetime.now(timezone.utc) + timedelta(days=2), timedelta(days=300) / (PROJECTS * each)
    lines = ["martlet: 1", f"project: {name}", "pipelines:"]
    for index in range(each):
        due = first + (index * PROJECTS + number) * apart
        cron = f"{due.minute} {due.hour} {due.day} {due.month} *"
        job = 'jobs: { only: { steps: [ { run: "true" } ] } }'
        lines.append(f'  p{index}: {{ on: {{ schedule: "{cron}" }}, {job} }}')
    return "\n".join(lines) + "\n"


def schedules(suite, tools):
    each = suite.size(1000, 5)
    events = tools.prepare(suite)

    def fill():
        for number in range(PROJECTS):
            name = f"scheduled-{number}"
            folder = suite.data.parent / name
            tools.make_repository(folder, project_file(name, number, each))
            # Looks at repositories are not what is measured.
            suite.command("repo", "add", name, str(folder), "--poll", "3600")
            events.wait("project.loaded", 60, unless=is_rejected, project=name)
        count, due = stored(suite)
        # What is due meanwhile would be measured as well.
        if count != PROJECTS * each or due < (time.time() + 3600) * 1000:
            raise tools.Failed(f"there are {count} schedules, and the first is due at {due / 1000:.0f}")

    return tools.cost_of(f"{PROJECTS * each} schedules in {PROJECTS} projects", fill, suite, events)


def is_rejected(event):
    return event["name"] == "project.rejected"


def stored(suite):
    """How many schedules the trigger-service has, and when the first is due, in milliseconds."""
    database = suite.data / "services" / "trigger-service" / "state.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*), coalesce(min(next), 0) FROM schedule").fetchone()
