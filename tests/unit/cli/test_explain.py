"""Every code has a page whose example shows the finding, and whose fix makes it go away."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from interlock.cli.explain import UnknownCode, page, summaries
from interlock.cli.main import app
from interlock.config.source import Source, read_tree
from interlock.diagnostics import CODES, Diagnostic
from interlock.reload.generation import check
from tests.unit.config.project import base_files

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "runtime" / "interlock" / "config" / "codes"
LISTING = ROOT / "docs" / "checks.md"
IN_SERVICE = {"ILK-R003", "ILK-R004", "ILK-R005", "ILK-R006", "ILK-R007"}
"""Found while a service runs; the tests of reloads show them."""

_BLOCK = re.compile(r"^```(\S+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"(?:#|\{#) (\S+)(?: #\})?\n")


class Block(NamedTuple):
    language: str
    encoding: str
    text: str


def section(code: str, title: str) -> list[Block]:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page(code), re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return [
        Block(language, info or "utf-8", text) for language, info, text in _BLOCK.findall(found[1])
    ]


def with_blocks(files: Mapping[str, bytes], blocks: list[Block]) -> dict[str, bytes]:
    """The files with what the blocks show: a whole file if it has a name, or else some keys."""
    changed = dict(files)
    for block in blocks:
        path = _PATH.match(block.text)
        assert path is not None, block.text
        name, text = path[1], block.text.encode(block.encoding)
        whole = block.language != "yaml" or b"\nname:" in text or name not in files
        changed[name] = text if whole else merged(files[name], text)
    return changed


def merged(base: bytes, part: bytes) -> bytes:
    """A YAML file in which the keys of `part` stand instead of its own, byte by byte."""
    keys = {key for key, _ in top_level(part)}
    kept = [text for key, text in top_level(base) if key not in keys]
    return b"".join([*kept, *(text for _, text in top_level(part))])


def top_level(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    for block in re.split(rb"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]:
        yield block.split(b":")[0], block


def found_in(files: Mapping[str, bytes]) -> list[Diagnostic]:
    loaded, toolbox = check(Source(dict(files)), {}, project=Path("/nonexistent"))
    if toolbox is not None:
        toolbox.forget()
    return list(loaded.found)


def explain(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["explain", *arguments])
    assert result.exit_code == 0, result
    return result.stdout


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {path.stem for path in PAGES.iterdir()} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_what_it_means_how_to_fix_it_and_why(code: str) -> None:
    text = page(code)
    assert text.startswith(f"# {code}: {CODES[code]}\n\nSeverity: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Example", "Fix", "Why it matters"]
    assert section(code, "Example")
    assert section(code, "Fix")


@pytest.mark.parametrize("code", [code for code in CODES if not code.startswith("ILK-R")])
def test_the_example_shows_the_finding_and_the_fix_leaves_none(code: str) -> None:
    broken = with_blocks(base_files(), section(code, "Example"))
    found = [each for each in found_in(broken) if each.code == code]
    assert found
    [severity] = {each.severity for each in found}
    assert f"\nSeverity: {severity}" in page(code)
    assert found_in(with_blocks(broken, section(code, "Fix"))) == []


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("ILK-R")])
def test_the_commands_show_the_finding_and_take_it_away(code: str, tmp_path: Path) -> None:
    example, fix = section(code, "Example"), section(code, "Fix")
    assert {block.language for block in [*example, *fix]} == {"sh"}
    if code in IN_SERVICE:
        return
    project = tmp_path / "project"
    for name, content in base_files().items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)
    codes = []
    for blocks in ([], example, fix):
        for block in blocks:
            subprocess.run(["sh", "-ec", block.text], cwd=project, check=True)
        codes.append([each.code for each in read_tree(project).found])
    assert codes == [[], [code], []]


def test_a_page_is_printed_as_it_is() -> None:
    assert explain("ILK-C012") == page("ILK-C012")


@pytest.mark.parametrize("spelling", ["ilk-c012", "C012", " c012 "])
def test_a_code_may_be_written_shorter(spelling: str) -> None:
    assert explain(spelling) == page("ILK-C012")


@pytest.mark.parametrize(
    ("spelling", "way"),
    [("ILK-C12", "did you mean 'ILK-C012'?"), ("nonsense", "see all with: interlock explain")],
)
def test_an_unknown_code_names_the_nearest(spelling: str, way: str) -> None:
    result = CliRunner().invoke(app, ["explain", spelling])
    assert isinstance(result.exception, UnknownCode)
    assert str(result.exception) == f"there is no code '{spelling}'; {way}"


def test_without_a_code_all_are_listed() -> None:
    lines = explain().splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert (
        "ILK-C012  error    A cost limit is declared for a model whose price is unknown." in lines
    )


def test_the_list_in_the_documentation_is_current() -> None:
    rows = [f"| {each.code} | {each.severity} | {each.sentence} |\n" for each in summaries()]
    listing = "".join(["| code | severity | what it says |\n|---|---|---|\n", *rows])
    text = LISTING.read_text("utf-8")
    before, _, rest = text.partition("| code |")
    after = rest[rest.rindex("|\n") + len("|\n") :]
    if os.environ.get("UPDATE_DOCS"):
        LISTING.write_text(f"{before}{listing}{after}", encoding="utf-8")
    assert LISTING.read_text("utf-8") == f"{before}{listing}{after}"
