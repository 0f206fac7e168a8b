"""Whatever bytes stand in whatever files, the check has findings and raises nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlock.config.source import Source
from interlock.diagnostics import CODES, render_text
from interlock.reload.generation import check
from tests.unit.config.project import base_files, read_folder

pytestmark = [
    # Of Python's own compiler and of `re`, about code and patterns that are valid all the same.
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

ROOT = Path(__file__).parents[3]


def _valid() -> Mapping[str, Mapping[str, bytes]]:
    """Configurations that use most of what there is, a plugin and a prompt file among it."""
    base = base_files()
    base["agents.d/support.yaml"] = base["agents.d/support.yaml"].replace(
        b"{system: 'You work for {{ company }}.'}", b"{system: {file: prompt.md}}"
    )
    base["agents.d/prompt.md"] = b"You work for {{ company }}.\n{{ session.customerId }}\n"
    starter = read_folder(ROOT / "runtime" / "interlock" / "cli" / "starter")
    shipped = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in [ROOT / "interlock.yaml", *ROOT.glob("*.d/*.yaml")]
    }
    return {"base": base, "starter": starter, "shipped": shipped}


VALID = _valid()
PLACES = [
    (name, path)
    for name, files in VALID.items()
    for path in sorted(files)
    if path.endswith((".yaml", ".py", "prompt.md")) and path != "sim.yaml"
]
# What YAML, templates, schemas, patterns and Python are most sensitive to.
PIECES = r"""
    null ~ true -1 0 1e999 0x10 07 1:30 99999999999999999999999999999999999999999 .nan '' "" [] {}
    [[ {{ }} {% %} {# | > & &a *a ! !!python/object:x << : :: - --- ... ? % @ ` # \ \0 \uD800
    name: limits: tools: {env: {file: {{session.x}} {{agent.x}} {{env.X}} {{input}} {%endif%}
    $ref pattern type (a+)+ (?P<x>) [[:a:]] \1 a{1,99999} sk-ant-api03-abcdef password:hunter2
    def return import raise lambda yield None 1/0 class=1 plugins/ ../.. /etc/passwd
"""


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A valid configuration's name, one of its files, and what stands there after some edits."""
    name, path = draw(st.sampled_from(PLACES))
    content = VALID[name][path]
    for _ in range(draw(st.integers(1, 4))):
        words = [match.span() for match in re.finditer(rb"\w+|[^\w\s]+", content)] or [(0, 0)]
        start, end = draw(st.sampled_from(words))
        piece = draw(
            st.one_of(
                st.sampled_from(PIECES.split()).map(str.encode),
                st.binary(max_size=4),
                st.sampled_from(words).map(lambda span, text=content: text[slice(*span)]),
                st.just(b""),
                st.just(b"\n"),
            )
        )
        match draw(st.sampled_from(["replace", "insert", "append", "cut"])):
            case "replace":
                content = content[:start] + piece + content[end:]
            case "insert":
                content = content[:start] + piece + b" " + content[start:]
            case "append":
                content = content[:end] + piece + content[end:]
            case "cut":
                content = content[:start]
    return name, path, content


def checked(files: Mapping[str, bytes]) -> None:
    source = Source(dict(files))
    loaded, toolbox = check(source, {}, project=Path("/nonexistent"))
    errors = [found for found in loaded.found if found.severity == "error"]
    assert (loaded.snapshot is None) == bool(errors) == (toolbox is None)
    assert {found.code for found in loaded.found} <= CODES.keys()
    assert all(found.message and found.location.line > 0 for found in loaded.found)
    # What is found can also be shown.
    render_text(loaded.found, source.files)
    if toolbox is not None:
        toolbox.forget()


@settings(max_examples=400, deadline=None)
@given(edited())
@example(("base", "agents.d/prompt.md", b"{{ company * 10 ** 30 }}"))
@example(("base", "agents.d/prompt.md", b"{{ (company * 10 ** 9) * 10 ** 9 }}"))
@example(("starter", "plugins/opening_hours.py", b"raise SystemExit"))
@example(("starter", "plugins/opening_hours.py", b"(" * 10_000))
@example(("starter", "plugins/opening_hours.py", b"\x00"))
def test_edited_files_have_findings_and_raise_nothing(case: tuple[str, str, bytes]) -> None:
    name, path, content = case
    checked({**VALID[name], path: content})


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(PLACES),
    st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8"))),
)
def test_any_bytes_have_findings_and_raise_nothing(place: tuple[str, str], content: bytes) -> None:
    name, path = place
    checked({**VALID[name], path: content})


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([path for _, path in PLACES]), st.binary(max_size=40)))
def test_any_files_at_all_have_findings_and_raise_nothing(files: dict[str, bytes]) -> None:
    checked(files)
