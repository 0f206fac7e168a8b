"""Small configurations for tests, as sources in memory."""

from __future__ import annotations

from collections.abc import Mapping

from interlock.config.source import Source
from interlock.diagnostics import Diagnostic

SETTINGS = """
providers: {anthropic: {apiKey: {env: KEY, default: none}, baseUrl: "http://127.0.0.1:9"}}
models: {sonnet: {provider: anthropic, model: claude-sonnet-4-6}}
"""
AGENT = """
name: %(name)s
description: %(text)s
models: {plan: sonnet, execute: sonnet}
tools: [get_order]
prompts: {system: You help.}
"""
TOOL = """
name: get_order
category: lookup
description: Returns an order.
whenToUse: The customer asks for an order.
whenNotToUse: Never for anything else.
http: {url: 'http://127.0.0.1:9/orders'}
"""


def make_source(
    *agents: str,
    text: str = "Helps.",
    settings: str = "",
    files: Mapping[str, str] | None = None,
    found: tuple[Diagnostic, ...] = (),
) -> Source:
    """A valid configuration with these agents, `support` if none is named."""
    content = {"interlock.yaml": SETTINGS + settings, "tools.d/orders.yaml": TOOL}
    for name in agents or ("support",):
        content[f"agents.d/{name}.yaml"] = AGENT % {"name": name, "text": text}
    content |= files or {}
    return Source({path: data.encode() for path, data in content.items()}, found)


def broken_source(text: str = "limits: {maxTokens: 0}") -> Source:
    """The same with a fault in it."""
    agent = AGENT % {"name": "support", "text": "Helps."}
    return make_source(files={"agents.d/support.yaml": agent + text})
