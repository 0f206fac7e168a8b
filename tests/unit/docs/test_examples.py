"""Every YAML and Python example of the documentation works as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from interlock.config.source import Source, read_tree
from interlock.diagnostics import render_text
from interlock.reload.generation import check
from interlock.sim import parse_rules

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
)
_BLOCK = re.compile(r"^```(yaml|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    kind: str
    target: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    for language, info, text in _BLOCK.findall((ROOT / page).read_text()):
        kind, _, target = info.strip().partition("=")
        yield Block(language, kind, target, text)


def project(page: str) -> Source:
    """The repository's own configuration with the files that the page shows put over it."""
    shown = [block for block in blocks(page) if block.kind in ("file", "merge")]
    base = dict(read_tree(ROOT).files)
    folders = {block.target.split("/")[0] for block in shown if block.kind == "file"}
    if "tools.d" in folders and "agents.d" in folders:
        # The page declares agents and tools of its own, complete in themselves.
        base = {
            name: data for name, data in base.items() if not name.startswith(("agents", "tools"))
        }
    else:
        base = {name: data for name, data in base.items() if not name.startswith("agents.d/")} | {
            name: data for name, data in base.items() if name == "agents.d/support.yaml"
        }
    for block in shown:
        if block.kind == "file":
            base[block.target] = block.text.encode()
        else:
            document: dict[str, Any] = yaml.safe_load(base[block.target])
            base[block.target] = yaml.safe_dump(document | yaml.safe_load(block.text)).encode()
    return Source(MappingProxyType(base))


def test_every_example_says_what_it_is_an_example_of() -> None:
    kinds = {(page, block.kind) for page in PAGES for block in blocks(page)}
    assert {kind for _, kind in kinds} == {"file", "merge", "sim"}
    assert [page for page, kind in kinds if kind not in ("file", "merge", "sim")] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_configuration_that_a_page_shows_is_valid(page: str) -> None:
    source = project(page)
    loaded, toolbox = check(source, {})
    errors = [found for found in loaded.found if found.severity == "error"]
    assert not errors, render_text(errors, source.files)
    assert toolbox is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_simulator_rules_that_a_page_shows_are_valid(page: str) -> None:
    for block in blocks(page):
        if block.kind == "sim":
            assert parse_rules(block.text.encode(), page).rules
