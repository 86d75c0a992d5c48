"""docs/martlet.schema.json and the reader say the same, as far as a schema can say it."""

import copy
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import project_files
import pytest
import yaml
from conftest import ROOT

SCHEMA = json.loads((ROOT / "docs" / "martlet.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


class Loader(yaml.SafeLoader):
    """YAML 1.2: `on` and `yes` are texts, and so is 30 with a unit."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if not tag.endswith((":bool", ":timestamp"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def load(text):
    return yaml.load(text, Loader)


def complaints(value):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"[:300] for error in VALIDATOR.iter_errors(value)]


@pytest.fixture
def read(binaries, folder):
    """The reader's errors for several texts, each as a project's only file."""

    def one(numbered):
        number, text = numbered
        place = folder / str(number)
        place.mkdir()
        (place / "martlet.yml").write_text(text)
        words = [f"{binaries}/martlet", "validate", str(place), "--json"]
        answer = json.loads(subprocess.run(words, capture_output=True, text=True).stdout)
        return [error["message"] for error in answer["errors"]]

    def several(texts):
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, enumerate(texts)))

    return several


def good():
    files = [*(ROOT / "Tests" / "Fixtures" / "projects").glob("*.yml"), *(ROOT / "Examples").glob("*/martlet.yml")]
    return {file.parent.name + "/" + file.name: file.read_text() for file in files} | project_files.GOOD


def test_the_page_about_the_file_shows_one(read):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "project-file.md").read_text(), re.DOTALL)
    assert blocks
    for text, errors in zip(blocks, read(blocks)):
        assert errors == [] and complaints(load(text)) == [], errors


def test_the_commands_of_the_page_work(binaries, folder):
    page = (ROOT / "docs" / "project-file.md").read_text()
    (folder / "martlet.yml").write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    commands = re.findall(r"^    (martlet .*?)  +#(.*)$", page, re.MULTILINE)
    assert [words.split()[1] for words, _ in commands] == ["validate", "validate", "plan"]
    for words, comment in commands:
        if "{" in comment:
            (folder / "push.json").write_text(comment[comment.index("{") :])
        done = subprocess.run(
            [f"{binaries}/martlet", *words.split()[1:]], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    assert "train starts: push to main changed src/a.py" in done.stdout


def test_the_schema_itself_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_the_reader_takes_the_schema_takes(read):
    texts = good()
    assert len(texts) >= 9
    for name, errors in zip(texts, read(texts.values())):
        assert errors == [], f"{name}: {errors}"
        assert complaints(load(texts[name])) == [], name


def test_what_has_no_effect_is_warned_of_and_no_error(binaries):
    def warnings(file):
        words = [f"{binaries}/martlet", "validate", str(file), "--json"]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["warnings"]

    for file in (ROOT / "Examples").glob("*/martlet.yml"):
        assert warnings(file) == [], file
    for file in (ROOT / "Tests" / "Fixtures" / "projects").glob("*.yml"):
        told = warnings(file)
        assert told and all({"file", "line", "column", "message"} == set(entry) for entry in told), file
        assert {entry["file"] for entry in told} == {file.name}


def test_one_pipeline_of_its_own(binaries, folder):
    (folder / "mlops" / "pipelines").mkdir(parents=True)
    (folder / "mlops" / "pipelines" / "nightly.yml").write_text(project_files.ONE_PIPELINE)
    subprocess.run([f"{binaries}/martlet", "validate", str(folder)], check=True, capture_output=True)
    assert complaints(load(project_files.ONE_PIPELINE)) == []
    assert complaints(load(project_files.ONE_PIPELINE.replace("manual", "manul")))


def test_what_is_no_project_file_neither_takes(read):
    for name, errors in zip(project_files.BAD, read(project_files.BAD.values())):
        assert errors, f"the reader takes {name}"
        assert complaints(load(project_files.BAD[name])), f"the schema takes {name}; the reader says {errors}"


def test_what_only_the_reader_can_know(read):
    for name, errors in zip(project_files.ONLY_READER, read(project_files.ONLY_READER.values())):
        assert errors, f"the reader takes {name}"
        assert not complaints(load(project_files.ONLY_READER[name])), f"{name}: move it to BAD"


def mutations(value, path=()):
    """Every map with a key misspelt, a key left out, a value of another kind."""
    if isinstance(value, dict):
        for key in value:
            yield path, lambda at, key=key: at.update({f"{key}x": at.pop(key)})
            yield path, lambda at, key=key: at.pop(key)
            for other in ([], {"x": 1}, "some text", True, 7):
                yield path, lambda at, key=key, other=other: at.update({key: other})
        for key, member in value.items():
            yield from mutations(member, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from mutations(item, (*path, index))


# The reader's words for what a schema can say too.
STRUCTURAL = ("unknown key", " is a map", " is a list", " is true or false", " is a whole number", "is a time such as", "is a text, not")


def test_a_changed_file_is_taken_by_both_or_by_neither(read):
    base = load(project_files.EVERYTHING)
    changed = []
    for number, (path, change) in enumerate(mutations(base)):
        if number % 3:
            continue
        value = copy.deepcopy(base)
        at = value
        for key in path:
            at = at[key]
        change(at)
        changed.append(value)
    assert len(changed) > 150
    # JSON is YAML as well.
    for value, errors in zip(changed, read([json.dumps(value) for value in changed])):
        said = complaints(value)
        if not errors:
            assert not said, f"the schema refuses what the reader takes: {said}\n{json.dumps(value)}"
        structural = [error for error in errors if any(words in error for words in STRUCTURAL)]
        if structural:
            assert said, f"the schema takes what the reader refuses: {structural}\n{json.dumps(value)}"
