"""What really passes the bus is what docs/events and docs/asyncapi.yaml say, judged by validators of others."""

import json
import os
import re
import warnings

import jsonschema
import pytest
import yaml
from cloudevents.core.formats.json import JSONFormat
from conftest import ROOT
from story import METHODS, TOLD, mb1, told

DOCS = ROOT / "docs"
WIRE = ROOT / "Tests" / "Fixtures" / "wire"

@pytest.fixture(scope="module")
def story(binaries):
    with told(binaries) as tap_and_folder:
        yield tap_and_folder


# MARK: what was said


@pytest.fixture(scope="module")
def live(story):
    return [mb1.parse(frames) for frames in story[0].live if mb1.parse(frames)]


@pytest.fixture(scope="module")
def said(live):
    return [message for message in live if message.kind == "E"]


def short(message):
    return json.loads(message.body)["type"].removeprefix("dev.martlet.").rsplit(".v", 1)[0]


def test_all_that_happened_was_heard(said):
    seen = {short(message) for message in said}
    assert seen >= set(TOLD), sorted(set(TOLD) - seen)


def test_every_event_is_what_its_schema_says(said):
    assert said
    for message in said:
        event = json.loads(message.body)
        if not event["type"].startswith("dev.martlet."):
            continue
        schema = json.loads((DOCS / "events" / f"{event['type'].removeprefix('dev.martlet.')}.json").read_text())
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        problems = [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(event["data"])]
        assert not problems, f"{event['type']}: {problems}"
        unknown = set(event["data"]) - set(schema["properties"])
        assert not unknown, f"{event['type']} has {unknown}, which its schema does not name"
        assert schema["$id"] == event["dataschema"] and schema["title"] == event["type"]


def test_every_event_is_a_cloud_event(said):
    schema = json.loads((ROOT / "Tests" / "Fixtures" / "cloudevents" / "cloudevents.schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    for message in said:
        validator.validate(json.loads(message.body))
        event = JSONFormat().read(None, message.body)
        body = json.loads(message.body)
        assert event.get_id() == body["id"] and event.get_type() == body["type"]
        assert event.get_subject() == body["subject"] and event.get_data() == body["data"]
        assert event.get_extension("correlationid") == body["correlationid"]


def test_every_log_is_a_chain(said, live):
    """As a reader of docs/protocol.md would check it, with the kit's own functions."""
    ends, chains = {}, {}
    for message in said:
        epoch, seq, chain = ends.get(message.source, (message.epoch, message.seq - 1, message.chain))
        if (message.epoch, message.seq) <= (epoch, seq):
            continue
        assert (message.epoch, message.seq, message.chain) == (epoch, seq + 1, chain), message.source
        if message.seq == 1:
            assert message.chain == mb1.chain_start(message.source, message.epoch)
        after = mb1.chain_next(message.chain, message.topic, message.body)
        ends[message.source] = (message.epoch, message.seq, after)
        chains[(message.source, message.epoch, message.seq)] = after
    compared = set()
    for beat in live:
        if beat.kind == "H" and (expected := chains.get((beat.source, beat.epoch, beat.seq))):
            assert beat.chain == expected, beat.source
            compared.add(beat.source)
    assert len(ends) >= 8 and compared == set(ends), "heartbeats tell of every log's chain"


# MARK: the AsyncAPI document


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load((DOCS / "asyncapi.yaml").read_text())


def follow(document, place, base=DOCS):
    if not place.startswith("#/"):
        return json.loads((base / place).read_text())
    value = document
    for part in place[2:].split("/"):
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return value


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_is_valid_asyncapi(document):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from asyncapi3 import AsyncAPI3
    assert document["asyncapi"] == "3.0.0"
    AsyncAPI3.model_validate(document)
    # The validators do say no.
    for spoil in ({"channels": 7}, {"info": {"title": "no version"}}, {"operations": {"a": {"action": "dance"}}}):
        with pytest.raises(ValueError):
            AsyncAPI3.model_validate(document | spoil)


def test_every_reference_leads_somewhere(document):
    found = set(references(document))
    assert len(found) > 100
    for place in found:
        assert follow(document, place), place


def pattern(address):
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(address)) + "$")


def test_every_live_message_has_its_channel(document, live):
    channels = [pattern(channel["address"]) for channel in document["channels"].values()]
    for topic in {message.topic.decode() for message in live}:
        assert any(channel.match(topic) for channel in channels), topic
    kinds = {message.kind for message in live}
    assert kinds == {"E", "H", "T"}


def test_every_header_is_as_its_channel_says(document, story, live):
    headers = {}
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            known = follow(document, message["$ref"]).get("headers", {}).get("properties", {}).get("header")
            if known:
                headers[channel["address"]] = re.compile(known["pattern"])
    for frames in story[0].live:
        topic, header = frames[0].decode(), frames[1].decode()
        fitting = [known for address, known in headers.items() if pattern(address).match(topic)]
        if topic.startswith("t/acme/") or topic == "h/event-bus":
            continue
        assert any(known.match(header) for known in fitting), f"{topic} {header}"


def validate(document, name, value, what):
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    problems = [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(value)]
    assert not problems, f"{what}: {problems}: {value}"


def test_every_request_and_reply_is_as_its_method_says(document, story):
    exchanges = list(story[0].exchanges)
    assert {exchange.method for exchange in exchanges} >= set(METHODS)
    statuses = {}
    for exchange in exchanges:
        name = exchange.method.replace(".", "-")
        if name not in document["channels"]:
            assert exchange.status in (400, 404, 503), exchange
            continue
        address = document["channels"][name]["address"]
        assert pattern(address).match(f"{exchange.target}/{exchange.method}"), exchange
        validate(document, f"{name}-params", exchange.params, f"{exchange.method} params")
        statuses.setdefault(exchange.method, set()).add(exchange.status)
        if exchange.status == 200:
            validate(document, f"{name}-reply", exchange.reply, f"{exchange.method} reply")
        else:
            refusal = document["components"]["messages"][f"{name}-refusal"]
            assert str(exchange.status) in refusal["headers"]["properties"]["status"]["enum"], exchange
            if "error" in exchange.reply:
                validate(document, "Problem", exchange.reply, f"{exchange.method} refusal")
    assert all(200 in found for found in statuses.values()), statuses


def test_telemetry_of_running_steps_was_heard(document, live):
    for name in ("step.log", "step.progress"):
        told = [json.loads(m.body) for m in live if m.topic == f"t/trainer-proxy/{name}".encode()]
        assert told, name
        schema = document["components"]["messages"][name.replace(".", "-")]["payload"]
        for body in told:
            jsonschema.Draft202012Validator(schema).validate(body)


def test_examples_are_messages_that_were_really_sent(document, story, live):
    """`MARTLET_WRITE_FIXTURES=1` writes them anew; then `make schemas`."""
    tap, folder = story
    real = {}
    for message in live:
        if message.kind == "E" and json.loads(message.body)["type"].startswith("dev.martlet."):
            real.setdefault(json.loads(message.body)["type"].removeprefix("dev.martlet."), message.body.decode())
        if message.kind == "T" and message.source == "trainer-proxy":
            real.setdefault(message.topic.decode().rsplit("/", 1)[1], message.body.decode())
    for exchange in tap.exchanges:
        if exchange.status == 200 and exchange.method in METHODS:
            real.setdefault(f"{exchange.method}.request", json.dumps(exchange.params))
            real.setdefault(f"{exchange.method}.reply", json.dumps(exchange.reply))
    if os.environ.get("MARTLET_WRITE_FIXTURES"):
        WIRE.mkdir(exist_ok=True)
        for name, text in real.items():
            value = json.loads(text.replace(str(folder), "/srv/acme"))
            (WIRE / f"{name}.json").write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    messages = document["components"]["messages"]
    for path in WIRE.glob("*.json"):
        (example,) = messages[path.stem.replace(".", "-")]["examples"]
        assert example["payload"] == json.loads(path.read_text()), f"{path.stem}: run 'make schemas'"
    kept = {path.stem for path in WIRE.glob("*.json")}
    assert set(real) <= kept, f"no fixture for {sorted(set(real) - kept)}: run this with MARTLET_WRITE_FIXTURES=1"
