"""The page on plugins: its tutorial works, and its reference is that of the hooks."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from interlock.hooks import specs
from interlock.hooks.contract import HOOKS
from tests.unit.docs.test_examples import blocks

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "plugins.md"
_PARTS = ("When", "Data", "Return", "Failure")


def sections() -> Iterator[str]:
    for name, hook in HOOKS.items():
        text = inspect.getdoc(getattr(specs, name)) or ""
        about, _, rest = text.partition("\n\n")
        facts, _, example = rest.partition("\nExample:\n")
        yield f"### `{name}({', '.join(hook.offered)})`{', sync' if hook.sync else ''}\n\n"
        yield f"{about}\n\n"
        for line in facts.splitlines():
            part = line.partition(":")[0]
            yield (
                f"- **{part}**{line.removeprefix(part)}\n"
                if part in _PARTS
                else f"  {line.strip()}\n"
            )
        code = inspect.cleandoc(example)
        yield "\n" + "".join(f"    {line}".rstrip() + "\n" for line in code.splitlines()) + "\n"


def test_every_hook_is_documented_with_its_exact_arguments() -> None:
    text = PAGE.read_text("utf-8")
    before, _, _ = text.partition("### `")
    wanted = f"{before}{''.join(sections())}".rstrip("\n") + "\n"
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text("utf-8") == wanted


def test_every_hook_says_when_with_what_and_what_becomes_of_a_failure() -> None:
    for name in HOOKS:
        text = inspect.getdoc(getattr(specs, name)) or ""
        for part in (*_PARTS, "Example"):
            assert f"\n{part}:" in text, (name, part)


def test_the_tutorial_works_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    files = [block for block in blocks("docs/plugins.md") if block.language == "python"]
    for block in files:
        path = tmp_path / block.target
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text)
    tests = sum(block.text.count("\ndef test_") for block in files)
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{tests} passed" in done.stdout
