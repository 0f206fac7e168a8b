"""A small project in files, for editing."""

from __future__ import annotations

from pathlib import Path

from interlock.config.source import read_tree

SETTINGS = """
server: {port: 0}
providers: {anthropic: {apiKey: {env: KEY, default: none}, baseUrl: {env: MODEL_URL, default: "http://127.0.0.1:9"}}}
models: {sonnet: {provider: anthropic, model: claude-sonnet-4-6}}
reload: {quiet: %(quiet)s, resync: %(resync)s%(more)s}
"""
AGENT = """
name: %(name)s
description: %(text)s
models: {plan: sonnet, execute: sonnet}
limits: {maxTokens: 200000}
tools: [get_order]
prompts: {system: You help.}
"""
TOOL = """
name: get_order
category: lookup
description: Returns the status of one order.
whenToUse: The customer asks for one order.
whenNotToUse: Do not use it for anything else.
python: {function: plugins/orders.py:get_order}
"""
PLUGIN = """
async def get_order():
    return {"status": "%s"}
"""


class Project:
    """A project's folder, and ways of changing what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.agent = folder / "agents.d" / "support.yaml"

    def write(
        self, *, quiet: str = "100ms", resync: str = "200ms", more: str = "", text: str = "One."
    ) -> Project:
        """Writes all of it, with two agents."""
        settings = SETTINGS % {"quiet": quiet, "resync": resync, "more": more}
        for name, content in {
            "interlock.yaml": settings,
            "agents.d/support.yaml": agent(text),
            "agents.d/sales.yaml": agent("Sells.", name="sales"),
            "tools.d/orders.yaml": TOOL,
            "plugins/orders.py": PLUGIN % "shipped",
        }.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return self

    def describe(self, text: str) -> None:
        """Edits the agent's description in place."""
        self.agent.write_text(agent(text))

    @property
    def digest(self) -> str:
        """The digest of what the files hold now."""
        return read_tree(self.folder).digest


def agent(text: str, *, name: str = "support") -> str:
    """The file of an agent with this description."""
    return AGENT % {"name": name, "text": text}
