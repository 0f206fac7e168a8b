from __future__ import annotations

import pytest

from interlock.cli.text import plural, printable, short


def test_a_text_becomes_one_line() -> None:
    assert short("a\n  b\tc ", 20) == "a b c"


def test_a_long_text_is_cut_to_the_length_with_a_mark() -> None:
    assert short("x" * 20, 20) == "x" * 20
    assert short("x" * 21, 20) == "x" * 19 + "…"


@pytest.mark.parametrize("control", ["\x1b", "\x07", "\x9b", "\r", "\x00", "\x7f"])
def test_control_characters_do_not_reach_the_terminal(control: str) -> None:
    assert printable(f"a{control}b") == "a\ufffdb"


def test_lines_tabs_and_other_languages_stay() -> None:
    text = "Größe:\t3\n日本 👩\u200d💻"
    assert printable(text) == text
    assert printable("a\r\nb") == "a\nb"


def test_nouns_follow_their_number() -> None:
    assert [plural(number, "agent") for number in (0, 1, 2)] == ["0 agents", "1 agent", "2 agents"]
