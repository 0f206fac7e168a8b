"""The base of the corpus with other parts, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from interlock.diagnostics import Diagnostic
from tests.unit.config.project import base_files, load_files

AGENT, TOOLS = "agents.d/support.yaml", "tools.d/orders.yaml"


def tool(name: str, category: str = "lookup", **more: Any) -> dict[str, Any]:
    """A tool that nothing is to be said about, except for what `more` replaces."""
    return {
        "name": name,
        "category": category,
        "description": f"Does {name}.",
        "whenToUse": f"The customer wants {name}.",
        "whenNotToUse": "It is about something else.",
        "http": {"url": f"http://127.0.0.1:9/{name}"},
        **({"idempotency": {"header": "Key"}} if category == "mutation" else {}),
        **more,
    }


def said(
    code: str,
    *,
    agent: Mapping[str, Any] | None = None,
    tools: list[dict[str, Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> list[Diagnostic]:
    """The findings of that code. Keys of `agent` and `settings` replace those of the base.

    `tools` are added to the base's own, and the agent uses all of them.
    """
    data: dict[str, bytes | str] = {**base_files(), **(files or {})}
    parts = yaml.safe_load(data[AGENT])
    parts["tools"] += [each["name"] for each in tools or []]
    data[AGENT] = yaml.safe_dump({**parts, **(agent or {})}, sort_keys=False)
    data["interlock.yaml"] = yaml.safe_dump(
        {**yaml.safe_load(data["interlock.yaml"]), **(settings or {})}, sort_keys=False
    )
    if tools:
        data["tools.d/more.yaml"] = yaml.safe_dump_all(tools, sort_keys=False)
    return [found for found in load_files(data).found if found.code == code]
