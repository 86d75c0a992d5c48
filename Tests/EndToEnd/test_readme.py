"""What the README shows is run."""

import os
import re
import subprocess
import sys
import threading

from conftest import ROOT

README = (ROOT / "README.md").read_text()


def block(language, containing):
    for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL):
        if containing in text:
            return text
    raise AssertionError(f"the README has no {language} block with {containing!r}")


def test_the_subscriber_in_ten_lines_hears_everything(suite, events, repo):
    program = block("python", "zmq")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    listener = subprocess.Popen(
        [sys.executable, "-c", program],
        env=suite.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    heard = threading.Event()

    def listen():
        for line in listener.stdout:
            lines.append(line)
            if "dev.martlet.run.finished.v1" in line:
                heard.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        suite.command("repo", "add", "small", str(repo.origin), "--poll", "0.3")
        # A fresh subscriber misses what was said before it joined: runs are started until it has joined.
        repo.push_steps('{ run: "true" }')
        events.wait("run.finished", 60)
        for _ in range(10):
            suite.command("run", "check", "--project", "small", "--wait")
            if heard.wait(1):
                break
    finally:
        listener.kill()
    assert heard.is_set(), "".join(lines)
    assert any("dev.martlet.step.finished.v1" in line for line in lines)


def test_the_project_file_is_valid(suite, folder):
    path = folder / "churn"
    path.mkdir()
    (path / "martlet.yml").write_text(block("yaml", "martlet: 1"))
    assert "churn is valid" in suite.command("validate", str(path))


def test_the_project_files_of_the_page_on_runs_are_valid(suite, folder):
    files = re.findall(r"```yaml\n(martlet: 1\n.*?)```", (ROOT / "docs" / "runs.md").read_text(), re.DOTALL)
    assert len(files) >= 2
    for number, text in enumerate(files):
        path = folder / f"example-{number}"
        path.mkdir()
        (path / "martlet.yml").write_text(text)
        assert "is valid" in suite.command("validate", str(path)), text


def test_the_example_is_valid(suite):
    said = suite.command("validate", str(ROOT / "Examples" / "diabetes"))
    assert "diabetes is valid" in said and "Model-Deploy-CD" in said


def test_the_commands_by_hand_work(suite, repo):
    section = README.split("## By hand")[1].split("\n## ")[0]
    commands = [line.strip() for line in section.splitlines() if line.strip().startswith("martlet ")]
    assert commands[0] == "martlet up --detach" and commands[-1] == "martlet down"
    repo.push_steps('{ run: "true" }')
    for command in commands:
        words = command.replace("/path/to/your/repository", str(repo.clone)).split()[1:]
        if words[0] == "up":
            suite.up()
        elif words[:2] == ["events", "tail"]:
            follow(suite, words)
        else:
            suite.command(*words)


def indented(text):
    return [line.strip() for line in text.split("## In containers")[1].split("\n## ")[0].splitlines() if line.startswith("    ")]


def test_the_commands_for_containers_are_those_that_tests_compose_runs():
    shown = indented(README)
    assert len(shown) == 5 and set(shown) <= set(indented((ROOT / "docs" / "operating.md").read_text()))


def follow(suite, words):
    tail = subprocess.Popen([suite.martlet, *words, "--since", "start"], env=suite.environment, stdout=subprocess.PIPE)
    try:
        assert tail.stdout.readline()
    finally:
        tail.kill()


def test_the_numbers_in_the_readme_hold():
    assert len(README.splitlines()) <= 200
    for target in re.findall(r"`make (\w+)", README):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, env=os.environ)
        assert done.returncode == 0, f"make {target}: {done.stderr}"
