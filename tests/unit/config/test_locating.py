from __future__ import annotations

import pytest

from interlock.config.locating import locate, locate_in_file
from interlock.config.yaml import parse_yaml

FILE = """\
plain: You work for {{ firm }}, the firm.
quoted: "firm: {{ firm }}"
block: |
  The firm of
  {{ firm }}, says
  {% if firm.x %}firm{% endif %}
folded: >
  The firm
  is {{ firm }}.
flow: {a: '{{ x.firm }}', b: '{{ firm }}'}
multiline: the firm
  {{ firm }}
escaped: "fi\\u0072m"
"""


@pytest.mark.parametrize(
    ("location", "line", "word", "expected"),
    [
        (("plain",), 0, "firm", "f:1:24"),
        (("plain",), 0, "nothing", "f:1:8"),
        (("plain",), 0, "", "f:1:8"),
        (("quoted",), 1, "firm", "f:2:19"),
        (("block",), 0, "", "f:3:8"),
        (("block",), 2, "", "f:5:1"),
        (("block",), 2, "firm", "f:5:6"),
        (("block",), 3, "firm.x", "f:6:9"),
        (("block",), 3, "firm", "f:6:9"),
        (("block",), 1, "firm", "f:4:7"),
        # What is one line for the template is two in the file.
        (("folded",), 1, "firm", "f:8:7"),
        (("folded",), 2, "firm", "f:9:9"),
        (("flow", "b"), 1, "firm", "f:10:34"),
        (("flow", "a"), 1, "x.firm", "f:10:15"),
        (("multiline",), 1, "{{", "f:12:3"),
        (("escaped",), 1, "firm", "f:13:10"),
        (("absent", "x"), 1, "firm", "f:1:24"),
    ],
)
def test_a_word_is_found_where_it_stands(
    location: tuple[str, ...], line: int, word: str, expected: str
) -> None:
    [document], found = parse_yaml("f", FILE.encode())
    assert found == []
    assert str(locate(document, location, line=line, word=word)) == expected


def test_a_word_in_a_prompt_file_is_found_inside_of_braces_first() -> None:
    text = "The firm.\nfirm {{ firm }}\n"
    assert str(locate_in_file("p.md", text, line=2, word="firm")) == "p.md:2:9"
    assert str(locate_in_file("p.md", text, line=1, word="firm")) == "p.md:1:5"
    assert str(locate_in_file("p.md", text, line=2, word="other")) == "p.md:2:1"
    assert str(locate_in_file("p.md", text, line=9, word="firm")) == "p.md:9:1"
