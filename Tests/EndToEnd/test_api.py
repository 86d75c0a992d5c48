"""docs/api.md: the requests that it lists are those that the console takes, and what it says of them holds."""

import json
import re
import subprocess
import urllib.error
import urllib.request

from conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()


def routes():
    """As the console's sources have them: request to role."""
    found = {}
    for path in (ROOT / "Services" / "console" / "Routes").glob("API*.swift"):
        for method, place, role in re.findall(r'routes\.(get|post|delete)\("([^"]+)"(?:, \.(\w+))?\)', path.read_text()):
            # Two of them are written once.
            for word in ("retry", "drop") if r"\(word)" in place else ("",):
                found[f"{method.upper()} {place.replace(chr(92) + '(word)', word)}"] = role or "viewer"
    return found


def test_the_page_lists_what_there_is():
    listed = dict(re.findall(r"^\| `([A-Z]+ \S+)` \| (\w+) \|", PAGE, re.MULTILINE))
    assert len(listed) > 40 and listed == routes()


def test_what_the_page_says_of_answers_holds(suite, events):
    (command,) = [line.strip() for line in PAGE.splitlines() if line.startswith("    curl ")]
    command = command.replace("~/.martlet", str(suite.data)).replace(":8080", f":{suite.ports['console']}")
    said = subprocess.run(["bash", "-euc", command], check=True, capture_output=True, text=True, timeout=60).stdout
    assert {"services", "repositories", "approvals"} <= json.loads(said).keys()
    token = (suite.data / "tokens" / "admin").read_text().strip()

    def ask(path, body=None, **headers):
        request = urllib.request.Request(
            f"http://127.0.0.1:{suite.ports['console']}/api/v1{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    status, runs = ask("/runs")
    assert status == 200 and runs["items"] == [] and runs["next"] is None
    wish = {"repository": "small", "url": str(suite.data / "nowhere.git")}
    status, first = ask("/repositories", wish, **{"Idempotency-Key": "once"})
    assert status == 202 and not first["repeated"]
    again = ask("/repositories", wish, **{"Idempotency-Key": "once"})[1]
    assert again["command"] == first["command"] and again["repeated"]
    assert ask(f"/commands/{first['command']}?wait=20")[1]["state"] == "accepted"
    status, refusal = ask("/runs/nothing")
    assert status == 404 and refusal.keys() >= {"error", "hint"}
