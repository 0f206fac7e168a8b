"""The editor schemas: current, draft-07, and of one mind with the models that check the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from jsonschema import Draft7Validator
from pydantic import Field
from pydantic_core import to_json

from interlock.config.schema import duration_text, generate
from interlock.config.validate import validate
from interlock.config.yaml import YamlDocument, parse_yaml
from interlock.guardrails import SETTINGS
from interlock.hooks.sinks import SETTINGS as SINKS
from interlock.model.agent import Agent
from interlock.model.base import Document, Duration
from interlock.model.settings import Settings
from interlock.model.tool import Tool

ROOT = Path(__file__).parents[3]
MODELS: dict[str, type[Document]] = {
    "agent.json": Agent,
    "interlock.json": Settings,
    "tool.json": Tool,
}
SCHEMAS = {name: json.loads(text) for name, text in generate(SETTINGS).items()}

GOOD: dict[str, str] = {
    "agent.json": """
        name: support
        description: Helps.
        models: {plan: small, execute: large, reason: null}
        limits: {turnTimeout: 1.5m, toolTimeout: 500ms, maxCostUsd: 0.5}
        tools: [look]
        toolSelection: {steps: {gather_info: [lookup], respond: []}, max: 3}
        prompts: {system: You help., planner: {file: planner.md}}
        variables: {company: Acme, year: 2030, share: 0.5, open: true}
        guardrails: {input: [{use: max_length, with: {characters: 10}}]}
        fastPaths:
          - name: status
            match: {patterns: [where]}
            call: {tool: look, input: {id: '{{ match.id }}'}}
    """,
    "tool.json": """
        name: change
        category: mutation
        description: Changes it.
        whenToUse: Always.
        input: {type: object, properties: {id: {type: string}}}
        http: {method: POST, url: 'http://shop/x', notFound: [404, 410], retry: {delay: 200ms}}
        idempotency: {header: Idempotency-Key, key: [id]}
        timeout: 5s
    """,
    "interlock.json": """
        server: {port: 0, drainTimeout: 30s}
        store: {url: {env: STORE_URL, default: 'sqlite:///x.db'}}
        auth:
          keys:
            - name: shop
              sha256: '0000000000000000000000000000000000000000000000000000000000000000'
        providers: {main: {apiKey: {env: KEY}, baseUrl: 'http://x'}}
        models: {small: {provider: main, model: m, effort: low}}
        prices: {m: {input: 1, output: '2.50', cacheWrite1h: null}}
    """,
}

BAD: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("agent.json", ("colour",), "red"),
    ("agent.json", ("name",), "2fast"),
    ("agent.json", ("description",), 3),
    ("agent.json", ("tools",), []),
    ("agent.json", ("models",), {"plan": "small"}),
    ("agent.json", ("limits", "maxToken"), 100),
    ("agent.json", ("limits", "maxTokens"), 0),
    ("agent.json", ("limits", "maxTokens"), "100"),
    ("agent.json", ("limits", "maxCostUsd"), "cheap"),
    ("agent.json", ("limits", "maxCostUsd"), -1),
    ("agent.json", ("limits", "turnTimeout"), "60"),
    ("agent.json", ("limits", "turnTimeout"), 60),
    ("agent.json", ("limits", "turnTimeout"), "1 minute"),
    ("agent.json", ("limits", "turnTimeout"), None),
    ("agent.json", ("limits", "warnAt"), 1),
    ("agent.json", ("limits", "onExhausted"), "finish"),
    ("agent.json", ("toolSelection", "steps", "gather"), ["lookup"]),
    ("agent.json", ("toolSelection", "steps", "respond"), ["look"]),
    ("agent.json", ("prompts", "planner"), {"path": "planner.md"}),
    ("agent.json", ("variables", "company"), ["Acme"]),
    ("agent.json", ("guardrails", "input", 0, "with", "letters"), 5),
    ("agent.json", ("guardrails", "input", 0, "with", "characters"), 0),
    ("agent.json", ("guardrails", "input", 0, "use"), "max_size"),
    ("agent.json", ("fastPaths", 0, "match", "patterns"), []),
    ("tool.json", ("http", "method"), "FETCH"),
    ("tool.json", ("http", "notFound"), [500]),
    ("tool.json", ("http", "retry", "delay"), "soon"),
    ("tool.json", ("category",), "query"),
    ("tool.json", ("category",), "lookup"),
    ("tool.json", ("category",), "escalation"),
    ("tool.json", ("python",), {"function": "plugins/x.py:y"}),
    ("tool.json", ("python",), {"function": "no colon"}),
    ("tool.json", ("http",), None),
    ("tool.json", ("timeout",), "5"),
    ("tool.json", ("whenToUse",), ""),
    ("interlock.json", ("server", "port"), 65536),
    ("interlock.json", ("server", "port"), True),
    ("interlock.json", ("store", "url"), {"env": "1X"}),
    ("interlock.json", ("providers",), {}),
    ("interlock.json", ("providers", "not a name"), {"apiKey": {"env": "KEY"}}),
    ("interlock.json", ("providers", "main", "kind"), "other"),
    ("interlock.json", ("providers", "main", "apiKey"), "secret"),
    ("interlock.json", ("providers", "main", "apiKey"), {}),
    ("interlock.json", ("providers", "main", "apiKey"), {"env": "KEY", "file": "key"}),
    ("interlock.json", ("providers", "main", "apiKey"), {"file": "key", "default": "x"}),
    ("interlock.json", ("providers", "main", "headers"), {"X-Key": {"file": ""}}),
    ("interlock.json", ("models", "small", "effort"), "huge"),
    ("interlock.json", ("prices", "m", "input"), "free"),
    ("interlock.json", ("auth", "keys", 0, "sha256"), "abc"),
]


def test_the_files_in_schemas_are_current() -> None:
    written = {path.name: path.read_text("utf-8") for path in (ROOT / "schemas").glob("*.json")}
    assert written == generate(SETTINGS, sinks=SINKS)


def test_every_shipped_document_passes_its_schema() -> None:
    checked = 0
    for pattern, name in (
        ("interlock.yaml", "interlock.json"),
        ("agents.d/**/*.yaml", "agent.json"),
        ("tools.d/**/*.yaml", "tool.json"),
    ):
        paths = list(ROOT.glob(pattern))
        assert paths, pattern
        for path in paths:
            documents, found = parse_yaml(path.name, path.read_bytes())
            assert found == []
            for document in documents:
                assert _problems(name, document.value) == [], f"{path.name}"
                checked += 1
    assert checked > 10


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_valid_document_passes_model_and_schema(name: str) -> None:
    document = _parse(GOOD[name])
    assert validate(MODELS[name], document)[1] == []
    assert _problems(name, document.value) == []


@pytest.mark.parametrize(("name", "place", "value"), BAD)
def test_what_the_model_refuses_the_schema_refuses(
    name: str, place: tuple[str | int, ...], value: Any
) -> None:
    document = deepcopy(_parse(GOOD[name]).value)
    _holder(document, place)[place[-1]] = value
    parsed = _parse(json.dumps(document))
    # Which guardrails there are and what they take is checked beside the model.
    if place[0] != "guardrails":
        assert validate(MODELS[name], parsed)[1] != []
    assert _problems(name, document) != []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_model_and_schema_agree_whatever_stands_in_a_place(name: str) -> None:
    """The schema is shaped for editors; that must not change what it accepts."""
    good = _parse(GOOD[name]).value
    disagreed = []
    # Which guardrails there are and what they take is checked beside the model.
    places = [place for place in _places(good) if not {"use", "with"} & {*place}]
    assert len(places) > 20
    for place in places:
        for value in (None, "x", "10s", "", 3, -1, 0.5, True, [], {}, ["x"], {"x": "y"}):
            document = deepcopy(good)
            _holder(document, place)[place[-1]] = value
            by_model = validate(MODELS[name], _parse(json.dumps(document)))[1] == []
            if by_model != (_problems(name, document) == []):
                disagreed.append((place, value))
    assert disagreed == []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_required_key_is_required_by_the_schema(name: str) -> None:
    document = _parse(GOOD[name]).value
    for key in SCHEMAS[name]["required"]:
        rest = {other: value for other, value in document.items() if other != key}
        assert _problems(name, rest) != []
        assert validate(MODELS[name], _parse(json.dumps(rest)))[1] != []


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_schema_is_draft_07(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema)
    for part in _objects(schema):
        if "$ref" in part:
            assert list(part) == ["$ref"], "draft-07 ignores what stands beside $ref"
        assert not part.keys() & {"$defs", "prefixItems", "unevaluatedProperties", "$anchor"}


class _Pages(Document):
    """Counts pages."""

    most: int
    """Pages at most."""
    within: Duration = timedelta(minutes=5)
    """How long to count."""
    range: Annotated[tuple[int, int], Field()] = (1, 2)
    """The first page and the last."""


def test_each_guardrail_has_its_own_settings() -> None:
    schema = json.loads(generate({**SETTINGS, "pages": _Pages})["agent.json"])
    Draft7Validator.check_schema(schema)
    use = schema["definitions"]["GuardrailUse"]
    assert use["properties"]["use"]["enum"] == sorted({*SETTINGS, "pages"})
    validator = Draft7Validator({**use, "definitions": schema["definitions"]})

    def passes(value: Any) -> bool:
        return validator.is_valid(value)

    assert passes({"use": "pages", "with": {"most": 3, "within": "2m", "range": [1, 9]}})
    assert passes({"use": "max_length"})
    assert not passes({"use": "pages"})
    assert not passes({"use": "pages", "with": {"characters": 3}})
    assert not passes({"use": "pages", "with": {"most": 3, "within": 5}})
    assert not passes({"use": "pages", "with": {"most": 3, "range": ["a", 2]}})
    assert not passes({"use": "max_length", "with": {"most": 3}})
    assert not passes({"use": "unknown"})


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("200ms", timedelta(milliseconds=200)),
        ("1500ms", timedelta(seconds=1.5)),
        ("1s", timedelta(seconds=1)),
        ("60s", timedelta(minutes=1)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(days=1)),
        ("30d", timedelta(days=30)),
    ],
)
def test_a_duration_is_written_as_yaml_reads_it(text: str, length: timedelta) -> None:
    assert duration_text(length) == text
    settings = _Pages.model_validate_json(to_json({"most": 1, "within": text}))
    assert settings.within == length


def _parse(text: str) -> YamlDocument:
    documents, found = parse_yaml("x.yaml", text.encode())
    assert found == []
    return documents[0]


def _holder(document: Any, place: tuple[str | int, ...]) -> Any:
    for part in place[:-1]:
        document = document[part]
    return document


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if place:
        yield place
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _places(item, (*place, key))


def _problems(name: str, value: Any) -> list[str]:
    validator = Draft7Validator(SCHEMAS[name])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)
