from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.diagnostics import render_text
from tests.unit.config.lint.declared import said, tool
from tests.unit.config.project import base_files, load_files

KEY = "sk-ant-api03-Zm9vYmFyYmF6"


def provider(**more: Any) -> dict[str, Any]:
    return {"providers": {"anthropic": {"apiKey": {"env": "K", "default": "none"}, **more}}}


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (provider(apiKey=KEY), "providers.anthropic.apiKey"),
        (provider(apiKey={"env": "K", "default": KEY}), "providers.anthropic.apiKey.default"),
        (
            provider(apiKey={"env": "K", "default": "f81d4fae7dec11d0a765"}),
            "providers.anthropic.apiKey.default",
        ),
        (provider(headers={"X-Api-Key": "correct-horse"}), "providers.anthropic.headers.X-Api-Key"),
        (provider(baseUrl="https://me:pw@host"), "providers.anthropic.baseUrl"),
        ({"store": {"url": "postgresql://me:pw@host/db"}}, "store.url"),
        ({"environment": {"SHOP_TOKEN": "a7f3c9d2e1b4"}}, "environment.SHOP_TOKEN"),
        ({"variables": {"note": f"use {KEY}"}}, "variables.note"),
        ({"unknown": [{"deep": KEY}]}, "unknown[0].deep"),
    ],
)
def test_a_secret_in_the_settings(settings: dict[str, Any], where: str) -> None:
    [found] = said("ILK-C026", settings=settings)
    assert (found.where, found.severity) == (where, "error")


@pytest.mark.parametrize(
    "settings",
    [
        provider(),
        provider(headers={"X-Team": "shop", "X-Customer-Id": "abcdefgh12345678"}),
        provider(headers={"X-Api-Key": {"env": "K", "default": "none"}}),
        provider(apiKey={"env": "K", "default": "simulator-8765"}),
        {"environment": {"SHOP_TOKEN_URL": "http://host/12345678", "SHOP_TOKEN": "unset"}},
        {"auth": {"keys": [{"name": "shop", "sha256": "0123456789abcdef" * 4}]}},
    ],
)
def test_references_and_words_are_no_secrets(settings: dict[str, Any]) -> None:
    assert said("ILK-C026", settings=settings) == []


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"Authorization": "Bearer 0123456789abcdef"}, 1),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 1),
        ({"Authorization": "Bearer {{ env.SHOP_URL }}"}, 0),
        ({"Accept": "application/json"}, 0),
    ],
)
def test_a_secret_in_a_tool(headers: dict[str, str], number: int) -> None:
    http = {"url": "http://127.0.0.1:9", "headers": headers}
    found = said("ILK-C026", tools=[tool("first", http=http)])
    assert [each.where for each in found] == ["http.headers.Authorization"] * number
    assert all("{{ env.NAME }}" in str(each.hint) for each in found)


def test_a_secret_in_a_prompt_wherever_it_is_written() -> None:
    agent = {"prompts": {"system": f"Use {KEY}.", "planner": {"file": "planner.md"}}}
    files = {"agents.d/planner.md": "Plan.\nThe password: hunter2\n"}
    found = said("ILK-C026", agent=agent, files=files)
    assert {str(each.location) for each in found} == {
        "agents.d/planner.md:2:15",
        "agents.d/support.yaml:10:15",
    }


def test_a_secret_of_the_wrong_type_is_told_once() -> None:
    settings = base_files()["interlock.yaml"].replace(
        b"{env: API_KEY, default: none}", f'"{KEY}"'.encode()
    )
    loaded = load_files({**base_files(), "interlock.yaml": settings})
    assert [found.code for found in loaded.found] == ["ILK-C026"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("interlock.yaml", "{env: API_KEY, default: none}", KEY),
        ("interlock.yaml", "{env: API_KEY, default: none}", f'"{KEY}\\'),
        ("interlock.yaml", "{env: API_KEY, default: none}", f"[{KEY}"),
        ("interlock.yaml", "{env: API_KEY, default: none}", f"{{env: API_KEY, {KEY}: none}}"),
        ("interlock.yaml", "claude-haiku-5-5", f"claude-haiku-5-5, effort: {KEY}"),
        ("interlock.yaml", "provider: anthropic", f"provider: {KEY}"),
        ("interlock.yaml", "variables:", f"{KEY}:"),
        ("interlock.yaml", "API_KEY", KEY),
        ("agents.d/support.yaml", "plan: haiku", f"plan: {KEY}"),
        ("agents.d/support.yaml", "name: support", f"name: {KEY}"),
        ("agents.d/support.yaml", "{{ company }}", f"{{{{ {KEY} }}}}"),
        ("tools.d/orders.yaml", "category: lookup", f"category: {KEY}"),
        ("tools.d/orders.yaml", "type: string", f"type: {KEY}"),
        ("tools.d/orders.yaml", "{{ env.SHOP_URL }}", f"{{{{ {KEY} }}}}"),
        ("tools.d/orders.yaml", "session.customerId", f"session.customerId }}}} {{{{ '{KEY}'"),
    ],
)
def test_no_finding_shows_a_secret_whatever_else_is_wrong(
    path: str, before: str, after: str
) -> None:
    files = base_files()
    text = files[path].decode()
    assert before in text
    files[path] = text.replace(before, after, 1).encode()
    loaded = load_files(files)
    assert loaded.snapshot is None
    shown = render_text(loaded.found, files) + json.dumps([f.to_json() for f in loaded.found])
    assert "sk-ant" not in shown
    assert "Zm9vYmFyYmF6" not in shown
