"""What an editor offers while somebody writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from interlock.config.schema import generate
from interlock.guardrails import SETTINGS
from interlock.model.base import Document
from tests.e2e.editor.draft import CURSOR, ROOT, draft
from tests.e2e.editor.language_server import LanguageServer, Offer

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS = ("agent", "interlock", "tool")
Step = str | int
"""On the way to a mapping: a key, or 0 for an item of a list."""


async def offers(
    editor: LanguageServer, kind: str, marked: str, root: Path = ROOT
) -> dict[str, Offer]:
    """What is offered at the cursor, by label."""
    new = draft(kind, marked, root)
    return {one.label: one for one in await editor.offers(new.path, new.text, new.at)}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_key_is_offered_with_its_description(editor: LanguageServer, kind: str) -> None:
    schema = _schema(kind)
    visited = 0
    for path, holder in _mappings(schema, schema):
        offered = await offers(editor, kind, _written(path))
        for key, part in holder["properties"].items():
            if part.get("doNotSuggest"):
                continue
            assert key in offered, path
            assert part["description"] in offered[key].documentation, (path, key)
            # A key is written with its colon and what must follow, never as a bare word.
            assert offered[key].inserts.lstrip("- ").startswith(f"{key}:"), (path, key)
        visited += 1
    assert visited > 5


@pytest.mark.parametrize(
    ("kind", "marked", "expected"),
    [
        ("tool", f"category: {CURSOR}\n", {"lookup", "search", "mutation", "escalation"}),
        ("tool", f"name: x\ncategory: mu{CURSOR}\n", {"mutation"}),
        (
            "tool",
            f"category: lookup\nhttp:\n  method: {CURSOR}\n",
            {"GET", "POST", "PUT", "PATCH", "DELETE"},
        ),
        ("tool", f"http: {{url: x, method: {CURSOR}}}\n", {"GET", "POST"}),
        ("tool", f"python:\n  {CURSOR}\n", {"function"}),
        ("tool", f"timeout: {CURSOR}\n", {"500ms", "10s"}),
        ("tool", f"bind:\n  customer_id: {CURSOR}\n", {'"{{ session.customerId }}"'}),
        ("agent", f"limits:\n  onExhausted: {CURSOR}\n", {"complete", "escalate"}),
        ("agent", f"limits: {{onExhausted: {CURSOR}}}\n", {"complete", "escalate"}),
        ("agent", f"limits:\n  max{CURSOR}\n", {"maxIterations", "maxTokens", "maxCostUsd"}),
        ("agent", f"limits: {{maxTokens: 1, w{CURSOR}}}\n", {"warnAt", "maxCostUsd"}),
        ("agent", f"limits:\n  turnTimeout: {CURSOR}\n", {"60s", "500ms", "10s"}),
        ("agent", f"models: {{plan: a, e{CURSOR}}}\n", {"execute", "reason", "fastPath"}),
        ("agent", f"planner:\n  replan: {CURSOR}\n", {"always", "onChange"}),
        ("agent", f"guardrails:\n  input:\n    - use: {CURSOR}\n", set(SETTINGS)),
        ("agent", f"guardrails:\n  input: [{{use: {CURSOR}}}]\n", set(SETTINGS)),
        ("agent", f"guardrails:\n  onViolation: {CURSOR}\n", {"revise", "escalate", "refuse"}),
        ("agent", f"toolSelection:\n  steps:\n    respond: [{CURSOR}]\n", {"lookup", "search"}),
        ("agent", f"toolSelection:\n  steps:\n    respond:\n      - {CURSOR}\n", {"lookup"}),
        ("agent", f"prompts:\n  system:\n    {CURSOR}\n", {"file"}),
        ("interlock", f"providers:\n  {CURSOR}\n", {"name"}),
        ("interlock", f"models:\n  a: {{effort: {CURSOR}}}\n", {"low", "medium", "high"}),
        ("interlock", f"store:\n  url:\n    {CURSOR}\n", {"env", "default"}),
        ("interlock", f"providers:\n  a:\n    stream: {CURSOR}\n", {"true", "false"}),
    ],
)
async def test_values_and_keys_are_offered(
    editor: LanguageServer, kind: str, marked: str, expected: set[str]
) -> None:
    assert expected <= (await offers(editor, kind, marked)).keys()


async def test_what_is_there_already_is_not_offered_again(editor: LanguageServer) -> None:
    offered = await offers(editor, "agent", f"name: x\nlimits:\n  maxTokens: 5\n{CURSOR}")
    assert not {"name", "limits"} & offered.keys()
    assert {"models", "tools", "prompts"} <= offered.keys()


@pytest.mark.parametrize("category", ["", "lookup", "mutation", "escalation"])
async def test_a_rule_between_keys_offers_nothing_twice(
    editor: LanguageServer, category: str
) -> None:
    new = draft("tool", f"category: {category}\n{CURSOR}")
    labels = [one.label for one in await editor.offers(new.path, new.text, new.at)]
    assert {"http", "python", "idempotency"} <= {*labels}
    assert sorted(labels) == sorted({*labels})


async def test_a_required_part_brings_its_required_keys(editor: LanguageServer) -> None:
    offered = await offers(editor, "agent", CURSOR)
    assert offered["models"].inserts == ("models:\n  plan: $1\n  execute: $2")
    assert offered["guardrails"].inserts.startswith("guardrails:\n  ")
    tool = await offers(editor, "tool", f"category: lookup\n{CURSOR}")
    assert "\n  url: " in tool["http"].inserts


async def test_the_second_document_of_a_file_is_completed_too(editor: LanguageServer) -> None:
    line = "# yaml-language-server: $schema=../schemas/tool.json"
    first = "name: a\ncategory: lookup\nhttp: {url: x}"
    second = f"{first}\n---\n{line}\n"
    for rest, expected in (
        (f"category: {CURSOR}\n", {"lookup", "mutation"}),
        (f"category: mutation\n{CURSOR}\n", {"http", "idempotency"}),
        (f"category: mutation\nidempotency:\n  k{CURSOR}\n", {"header", "key"}),
    ):
        assert expected <= (await offers(editor, "tool", second + rest)).keys()


class _Pages(Document):
    """Counts pages."""

    most: Annotated[int, Field(ge=1)]
    """Pages at most."""


class _Tone(Document):
    """Judges the tone."""

    mood: str = "calm"
    """How it should sound."""


async def test_settings_are_those_of_the_chosen_guardrail(
    editor: LanguageServer, tmp_path: Path
) -> None:
    (tmp_path / "schemas").mkdir()
    for name, text in generate({**SETTINGS, "pages": _Pages, "tone": _Tone}).items():
        (tmp_path / "schemas" / name).write_text(text)

    async def use(rest: str) -> dict[str, Offer]:
        marked = f"guardrails:\n  output:\n    - use: {rest}{CURSOR}\n"
        return await offers(editor, "agent", marked, tmp_path)

    assert (await use("")).keys() == {*SETTINGS, "pages", "tone"}
    assert (await use("max_length\n      with:\n        ")).keys() == {"characters"}
    assert (await use("tone\n      with:\n        ")).keys() == {"mood"}
    pages = await use("pages\n      with:\n        ")
    assert "most" in pages
    assert not {"characters", "mood"} & pages.keys()
    assert pages["most"].documentation == "Pages at most."
    # The settings that must be given come along.
    assert (await use("pages\n      "))["with"].inserts == "with:\n  most: "


def _schema(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "schemas" / f"{kind}.json").read_text())
    return loaded


def _mappings(
    part: dict[str, Any], schema: dict[str, Any], path: tuple[Step, ...] = ()
) -> Iterator[tuple[tuple[Step, ...], dict[str, Any]]]:
    """Every mapping with keys of its own, and the way to it."""
    if "$ref" in part:
        part = schema["definitions"][part["$ref"].split("/")[-1]]
    if "properties" in part:
        yield path, part
        for key, value in part["properties"].items():
            yield from _mappings(value, schema, (*path, key))
    if isinstance(part.get("items"), dict):
        yield from _mappings(part["items"], schema, (*path, 0))
    if isinstance(part.get("additionalProperties"), dict):
        yield from _mappings(part["additionalProperties"], schema, (*path, "anything"))
    if "then" in part and path:
        yield from _mappings(part["then"], schema, path)


def _written(path: tuple[Step, ...]) -> str:
    """The way to a mapping as YAML, with the cursor where its first key belongs."""
    text, indent = "", 0
    for step in path:
        if step == 0:
            text += " " * indent + "- "
        else:
            if not text.endswith("- "):
                text += " " * indent
            text += f"{step}:\n"
        indent += 2
    return f"{text}{'' if text.endswith('- ') else ' ' * indent}{CURSOR}\n"
