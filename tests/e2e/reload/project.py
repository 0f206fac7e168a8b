"""A small project in files, for editing."""

from __future__ import annotations

from pathlib import Path

from interlock.config.source import read_tree
from tests.e2e.service.project import PLUGIN, TOOLS

SETTINGS = """
server: {port: 0, drainTimeout: 5s}
auth: {keys: [%(keys)s]}
providers:
  anthropic:
    apiKey: {env: KEY, default: none}
    baseUrl: {env: MODEL_URL, default: "http://127.0.0.1:9"}
models: {sonnet: {provider: anthropic, model: claude-sonnet-4-6}}
environment: {GATE_URL: "http://127.0.0.1:9"}
reload: {quiet: %(quiet)s, resync: %(resync)s%(more)s}
"""
AGENT = """
name: %(name)s
description: %(text)s
models: {plan: sonnet, execute: sonnet}
limits: {maxTokens: 200000}
tools: [get_order, wait_at_gate]
guardrails: {input: [{use: max_length, with: {characters: 100}}]}
replies: {refused: %(text)s}
prompts: {system: "You help. {{ agent.description }}"}
"""


class Project:
    """A project's folder, and ways of changing what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent = folder / "agents.d" / "support.yaml"
        self.plugin = folder / "plugins" / "orders.py"

    def write(
        self,
        *,
        quiet: str = "100ms",
        resync: str = "200ms",
        more: str = "",
        text: str = "One.",
        keys: str = "",
    ) -> Project:
        """Writes all of it, with two agents; `more` are further rules for reloads."""
        files = {
            "interlock.yaml": SETTINGS
            % {"quiet": quiet, "resync": resync, "more": more, "keys": keys},
            "agents.d/support.yaml": agent(text),
            "agents.d/sales.yaml": agent("Sells.", name="sales"),
            "tools.d/orders.yaml": TOOLS,
            "plugins/orders.py": PLUGIN,
        }
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return self

    def describe(self, text: str) -> None:
        """Edits the agent's description, which is also what it refuses with, in place."""
        self.agent.write_text(agent(text))

    @property
    def digest(self) -> str:
        """The digest of what the files hold now."""
        return read_tree(self.folder).digest


def agent(text: str, *, name: str = "support") -> str:
    """The file of an agent with this description."""
    return AGENT % {"name": name, "text": text}
