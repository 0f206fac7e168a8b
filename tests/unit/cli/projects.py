"""Small projects on disk for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

SETTINGS = """\
store: {url: "sqlite:///var/store.db"}
providers:
  main: {apiKey: {env: CLI_TEST_KEY, default: none}, baseUrl: "http://127.0.0.1:9"}
models:
  small: {provider: main, model: test-model, maxTokens: 100}
prices: {test-model: {input: 1, output: 5}}
"""

AGENT = """\
name: helper
description: Helps.
models: {plan: small, execute: small}
tools: [hand_over]
prompts: {system: You help.}
"""

TOOL = """\
name: hand_over
category: escalation
description: Hands over.
whenToUse: The customer asks for a person.
whenNotToUse: A tool can help.
"""


def write_project(folder: Path, **files: str) -> Path:
    """A valid project; `files` replaces or adds files, with `__` for `/` and no `.yaml`."""
    contents = {"interlock": SETTINGS, "agents.d/helper": AGENT, "tools.d/people": TOOL}
    contents |= {name.replace("__", ".d/"): text for name, text in files.items()}
    for name, text in contents.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
