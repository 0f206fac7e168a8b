"""What the schemas tell an editor about each key: descriptions, defaults, examples that hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from interlock.config.schema import generate
from interlock.guardrails import SETTINGS
from interlock.hooks.sinks import SETTINGS as SINKS

SCHEMAS: dict[str, dict[str, Any]] = {
    name.removesuffix(".json"): json.loads(text)
    for name, text in generate(SETTINGS, sinks=SINKS).items()
}
TEMPLATES = (
    ("agent", "prompts.system"),
    ("agent", "prompts.planner"),
    ("agent", "reinforcement[].text"),
    ("agent", "fastPaths[].call.input.*"),
    ("tool", "bind.*"),
    ("tool", "approval.when"),
    ("tool", "http.url"),
    ("tool", "http.query.*"),
    ("tool", "http.headers.*"),
    ("tool", "http.body.*"),
)
DURATION = r"^\d+(\.\d+)?(ms|s|m|h|d)$"


def _parts(
    part: dict[str, Any], schema: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value that YAML can hold, with its path.

    `[]` stands for an item, `*` for a key of one's own, `{}` for the mapping instead of a text.
    """
    if "$ref" in part:
        part = schema["definitions"][part["$ref"].split("/")[-1]]
    yield path, part
    for key, value in part.get("properties", {}).items():
        yield from _parts(value, schema, f"{path}.{key}".removeprefix("."))
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(part.get(key), dict):
            yield from _parts(part[key], schema, f"{path}{step}")
    if "then" in part:
        yield from _parts(part["then"], schema, f"{path}{{}}")


def _all(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = SCHEMAS[kind]
    yield from _parts(schema, schema)
    # Among them the settings of the guardrails, which a rule binds to `with`.
    for name, definition in schema["definitions"].items():
        yield from _parts(definition, schema, f"#{name}")


PARTS = {(kind, path): part for kind in SCHEMAS for path, part in _all(kind)}


def _problems(kind: str, part: dict[str, Any], value: Any) -> list[str]:
    validator = Draft7Validator({**part, "definitions": SCHEMAS[kind]["definitions"]})
    return [error.message for error in validator.iter_errors(value)]


def test_every_key_is_described() -> None:
    keys = {
        (kind, path): part for (kind, path), part in PARTS.items() if not path.endswith(("[]", "*"))
    }
    assert len(keys) > 80
    assert [place for place, part in keys.items() if not part.get("description", "").strip()] == []


def test_a_mapping_of_ours_allows_no_other_key() -> None:
    ours = {place: part for place, part in PARTS.items() if "properties" in part}
    assert [place for place, part in ours.items() if part["additionalProperties"]] == []
    assert len(ours) > 20


def test_every_default_and_example_is_valid() -> None:
    for (kind, path), part in PARTS.items():
        for value in [*part.get("examples", ()), *([part["default"]] if "default" in part else ())]:
            assert _problems(kind, part, value) == [], f"{kind}: {path}: {value}"


def test_whatever_has_a_form_of_its_own_has_an_example() -> None:
    formed = {place for place, part in PARTS.items() if "pattern" in part}
    assert len(formed) > 20
    without = {path for kind, path in formed if not PARTS[kind, path].get("examples")}
    # Its only example would be the hash of somebody's key.
    assert without == {"auth.keys[].sha256", "#ApiKey.sha256"}


def test_a_duration_is_explained_in_words() -> None:
    durations = [part for part in PARTS.values() if part.get("pattern") == DURATION]
    assert len(durations) > 5
    assert {part["patternErrorMessage"] for part in durations} == {
        "Must be a time such as 500ms, 10s, 5m or 1h."
    }


def test_a_number_without_a_default_has_an_example() -> None:
    """Or else editors write 0, which is below most minimums."""
    numbers = [
        place
        for place, part in PARTS.items()
        if {"integer", "number"} & {*_types(part)} and not place[1].endswith(("[]", "*"))
    ]
    assert len(numbers) > 20
    assert [place for place in numbers if not PARTS[place].keys() & {"default", "examples"}] == []


@pytest.mark.parametrize("place", TEMPLATES)
def test_a_template_has_an_example(place: tuple[str, str]) -> None:
    assert any("{{" in example for example in PARTS[place]["examples"])


def test_defaults_stand_at_the_keys_as_yaml_writes_them() -> None:
    assert PARTS["agent", "limits.turnTimeout"]["default"] == "60s"
    assert PARTS["agent", "toolSelection.steps.gather_info"]["default"] == ["lookup", "search"]
    assert PARTS["tool", "http.notFound"]["default"] == [404]
    assert "default" not in PARTS["agent", "limits.maxCostUsd"]
    # An editor would write them out: a whole mapping of defaults, or an empty list.
    for path in ("limits", "guardrails.input", "variables", "fastPaths"):
        assert "default" not in PARTS["agent", path]


def test_every_key_says_its_type() -> None:
    """Or else editors write the key without its colon."""
    assert [place for place, part in PARTS.items() if not _types(part)] == []
    assert PARTS["agent", "prompts.planner"]["type"][0] == "string"
    assert PARTS["tool", "http"]["type"] == ["object", "null"]
    assert PARTS["interlock", "prices.*.cacheRead"]["type"] == ["number", "string", "null"]


def _types(part: dict[str, Any]) -> list[str]:
    found = part.get("type", [])
    return [found] if isinstance(found, str) else found
