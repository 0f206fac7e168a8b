"""docs/guardrails.md describes every guardrail that comes with Interlock, with valid examples."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from interlock.config.source import Source, read_tree
from interlock.diagnostics import render_text
from interlock.guardrails import SETTINGS
from interlock.reload.generation import check

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "guardrails.md").read_text()
AGENT = "agents.d/support.yaml"
EXAMPLES: list[Any] = [
    yaml.safe_load(text)
    for text in re.findall(r"^```yaml merge=\S+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_valid_by_itself(example: dict[str, Any]) -> None:
    files = dict(read_tree(ROOT).files)
    files[AGENT] = yaml.safe_dump(yaml.safe_load(files[AGENT]) | example).encode()
    loaded, _ = check(Source(MappingProxyType(files)), {})
    errors = [found for found in loaded.found if found.severity == "error"]
    assert not errors, render_text(errors, files)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_guardrail_is_described_with_its_settings(name: str) -> None:
    _, found, rest = PAGE.partition(f"\n## `{name}`\n")
    assert found
    section = rest.partition("\n## ")[0]
    for key, field in SETTINGS[name].model_fields.items():
        assert (field.alias or key) in section
