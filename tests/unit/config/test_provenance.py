"""Every value is explained: its line, or the default that it is and where it could be set."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from interlock.config.load import Loaded
from interlock.config.placed import Placed
from interlock.config.provenance import Origin, UnknownPath, origin_of
from interlock.config.source import read_tree
from interlock.guardrails import SETTINGS
from tests.unit.config.project import base_files, load_files

ROOT = Path(__file__).parents[3]


def loaded(**files: str) -> Loaded:
    """The base configuration with other files, by the first part of their path."""
    names = {"settings": "interlock.yaml", "agent": "agents.d/support.yaml"}
    texts = {names[key]: textwrap.dedent(text) for key, text in files.items()}
    return load_files({**base_files(), **texts})


AGENT = """\
name: support
description: Answers customers.
models: {plan: haiku, execute: sonnet}
limits:
  maxTokens: 80000
  maxCostUsd: 0.50
  turnTimeout: 90s
tools: [get_order, call_a_person]
prompts: {system: 'You work for {{ company }}.'}
guardrails:
  input: [{use: max_length, with: {characters: 400}}, {use: max_length}]
fastPaths:
  - name: status
    match: {patterns: ['^status (?P<id>ORD-[0-9]+)$']}
    call: {tool: get_order, input: {order_id: '{{ match.id }}'}}
"""


def explain(path: str, *, agent: str = AGENT) -> Origin:
    return origin_of(loaded(agent=agent).documents, path, guardrails=SETTINGS)


def place(origin: Origin) -> str:
    return str(origin.location)


def test_a_value_is_explained_by_its_line() -> None:
    origin = explain("agents.support.limits.maxTokens")
    assert (origin.value, place(origin)) == (80000, "agents.d/support.yaml:5:14")
    assert (origin.default, origin.children) == (None, ())
    assert origin.about == "Input and output tokens of all model calls of one conversation."


@pytest.mark.parametrize(
    ("path", "value", "default", "where", "under"),
    [
        (
            "agents.support.limits.warnAt",
            0.8,
            "Limits.warnAt",
            "agents.d/support.yaml:4:1",
            "limits",
        ),
        (
            "agents.support.breakers.repetition.polls",
            12,
            "Repetition.polls",
            "agents.d/support.yaml:1:1",
            "",
        ),
        (
            "agents.support.fastPaths.status.match.maxCharacters",
            300,
            "FastPathMatch.maxCharacters",
            "agents.d/support.yaml:14:5",
            "fastPaths[0].match",
        ),
        (
            "agents.support.toolSelection.steps.gather_info",
            ["lookup", "search"],
            "ToolSelection.steps",
            "agents.d/support.yaml:1:1",
            "",
        ),
        ("server.port", 8080, "Server.port", "interlock.yaml:1:1", ""),
        (
            "models.haiku.maxTokens",
            2048,
            "ModelEntry.maxTokens",
            "interlock.yaml:4:3",
            "models.haiku",
        ),
        ("tools.get_order.timeout", None, "Tool.timeout", "tools.d/orders.yaml:1:1", ""),
    ],
)
def test_a_default_says_which_it_is_and_where_it_could_be_set(
    path: str, value: object, default: str, where: str, under: str
) -> None:
    origin = explain(path)
    assert (origin.value, origin.default) == (value, default)
    assert (place(origin), origin.under) == (where, under)


def test_values_look_as_in_yaml() -> None:
    assert explain("agents.support.limits.turnTimeout").value == "90s"
    assert explain("agents.support.limits.maxCostUsd").value == 0.5
    assert explain("agents.support.limits.toolTimeout").value == "10s"
    assert explain("agents.support.fastPaths[0].call").value == {
        "tool": "get_order",
        "input": {"order_id": "{{ match.id }}"},
    }


def test_a_mapping_shows_its_parts_and_stands_at_its_key() -> None:
    origin = explain("agents.support.limits")
    assert place(origin) == "agents.d/support.yaml:4:1"
    written = {child.path: place(child) for child in origin.children if child.default is None}
    assert written == {
        "agents.support.limits.maxTokens": "agents.d/support.yaml:5:14",
        "agents.support.limits.maxCostUsd": "agents.d/support.yaml:6:15",
        "agents.support.limits.turnTimeout": "agents.d/support.yaml:7:16",
    }
    assert {child.path for child in origin.children} - written.keys()
    assert all(child.children == () for child in origin.children)


@pytest.mark.parametrize(
    "path", ["guardrails.input[1].with.characters", "guardrails.input.1.with.characters"]
)
def test_a_guardrails_own_defaults_are_known(path: str) -> None:
    origin = explain(f"agents.support.{path}")
    assert (origin.default, origin.under) == ("MaxLengthSettings.characters", "guardrails.input[1]")
    assert origin.value == SETTINGS["max_length"].model_fields["characters"].default


def test_a_part_of_a_list_goes_by_its_name_or_its_number() -> None:
    for name in ("fastPaths[0]", "fastPaths.0", "fastPaths[status]", "fastPaths.status"):
        assert explain(f"agents.support.{name}.name").path == "agents.support.fastPaths[0].name"
    for name in ("tools[1]", "tools[call_a_person]"):
        assert explain(f"agents.support.{name}").value == "call_a_person"


def test_a_key_may_hold_dots_itself() -> None:
    settings = base_files()["interlock.yaml"].decode()
    prices = "{claude-3.5-haiku: {input: 1, output: 2}, claude-3: {input: 3, output: 4}}"
    documents = loaded(settings=f"{settings}prices: {prices}\n").documents
    assert origin_of(documents, "prices.claude-3.5-haiku.input").value == 1
    assert origin_of(documents, "prices[claude-3.5-haiku].output").value == 2
    assert origin_of(documents, "prices.claude-3.input").value == 3


def test_the_settings_may_be_named_or_not() -> None:
    documents = loaded().documents
    assert origin_of(documents, "settings.server.port") == origin_of(documents, "server.port")
    children = {child.path for child in origin_of(documents, "settings").children}
    assert {"server", "models", "providers"} <= children


def test_agents_and_tools_are_listed() -> None:
    origin = explain("tools")
    assert origin.value == ["call_a_person", "get_order"]
    assert [(child.path, child.value) for child in origin.children] == [
        ("tools.call_a_person", "Calls a person."),
        ("tools.get_order", "Returns one order."),
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("agents.suport", "there is no 'agents.suport'; did you mean 'agents.support'?"),
        (
            "agents.support.limits.maxToken",
            "there is no 'agents.support.limits.maxToken'; did you mean "
            "'agents.support.limits.maxTokens'?",
        ),
        ("agent.support", "did you mean 'agents'?"),
        ("sever.port", "did you mean 'server'?"),
        ("agents.support.limits.x", "known here: maxIterations, maxTokens"),
        ("agents.support.tools[9]", "known here: 0, 1"),
        ("agents.support.name.first", "'agents.support.name' is a single value and has no parts"),
        ("tools.get_order.timeout.x", "'tools.get_order.timeout' is nothing and has no parts"),
    ],
)
def test_an_unknown_path_is_told_with_the_nearest_one(path: str, words: str) -> None:
    with pytest.raises(UnknownPath) as raised:
        explain(path)
    assert words in str(raised.value)


def test_what_may_be_a_secret_is_hidden() -> None:
    settings = (
        base_files()["interlock.yaml"]
        .decode()
        .replace("default: none", "default: sk-very-secret")
        .replace("variables: {", "variables: {api_key: sk-very-secret, ")
    )
    documents = loaded(settings=settings).documents
    for path in ("providers.anthropic.apiKey.default", "variables.api_key"):
        assert origin_of(documents, path).value == "(hidden)"
    assert "very-secret" not in str(origin_of(documents, "settings"))


def test_what_can_be_read_is_explained_though_something_else_is_broken() -> None:
    broken = load_files({**base_files(), "agents.d/other.yaml": "name: ["})
    assert broken.snapshot is None
    assert origin_of(broken.documents, "agents.support.models.plan").value == "haiku"
    without = load_files({**base_files(), "interlock.yaml": "models: ["})
    with pytest.raises(UnknownPath, match=r"interlock\.yaml cannot be read"):
        origin_of(without.documents, "server.port")


def walk(documents: Mapping[str, Placed[Any]], path: str) -> Iterator[Origin]:
    origin = origin_of(documents, path, guardrails=SETTINGS)
    yield origin
    for child in origin.children:
        yield from walk(documents, child.path)


def test_every_path_of_the_shipped_project_leads_back_to_itself_and_to_its_line() -> None:
    source = read_tree(ROOT)
    documents = load_files(source.files).documents
    seen = 0
    for root in ("agents", "tools", "server", "store", "reload", "providers", "models"):
        for origin in walk(documents, root):
            seen += 1
            again = origin_of(documents, origin.path, guardrails=SETTINGS)
            assert again.path == origin.path
            if origin.path in ("agents", "tools"):
                continue
            lines = source.files[origin.location.path].decode().splitlines()
            line = lines[origin.location.line - 1][origin.location.column - 1 :]
            if origin.default is None and isinstance(origin.value, int):
                assert line.startswith(str(origin.value).lower())
            assert line.strip()
    assert seen > 500
