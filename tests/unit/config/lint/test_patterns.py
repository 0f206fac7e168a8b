from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from interlock.config.lint.backtracking import degree_of, is_exponential
from interlock.config.lint.regex_tree import parse_regex
from tests.unit.config.lint.declared import said, tool

EXPONENTIAL = [
    (r"(a+)+$", "a" * 40 + "b"),
    (r"(a*)*b", "a" * 40),
    (r"(?:a+)*b", "a" * 40),
    (r"(\w+\s?)*$", "a" * 40 + "!"),
    (r"^(\s*\w+)*$", "a" * 40 + "!"),
    (r"(?:a{2}|a{3})*b", "a" * 90),
    (r"^(?:a|aa)+$", "a" * 60 + "b"),
    (r"(.*,)*$", "," * 40 + "x"),
    (r'(?:[^"\\]+|\\.)*"', "a" * 40),
    (r"^(?:(?:25[0-5]|\d\d?)\.?)+$", "1" * 60 + "x"),
    (r"(a+){20}b", "a" * 60),
    (r"^(?:\w+[\s\w])*$", "a" * 60 + "!"),
    (r"(?i:(?:x+X)*)$", "x" * 60 + "y"),
]
HARMLESS = [
    (r"(?:\s+\w+)*$", " a" * 400 + "!"),
    (r"(?:[^,]*,)*x", ",a" * 400),
    (r'(?:"[^"]*"|[^"])*$', '"a' * 401),
    (r"(?>a+)+b", "a" * 800),
    (r"(?:a++)+b", "a" * 800),
    (r"(a|b|c)*d", "abc" * 200),
    (r"^(?:\w{1,20} ){0,8}x$", "a " * 400),
    (r"^(?:ab|cd)*$", "abcd" * 200 + "!"),
    (r"(?<!a)(?:b(?=c)c)*d", "bc" * 400),
]
SHIPPED = (
    r"(?i)^\W*(?:hi|hello|hey)?\W*(?:where is|where's|what is the status of|status of|track)\s+"
    r"(?:my\s+)?(?:order|parcel|package)?\s*(?P<order_id>ORD-\d+)\W*$"
)


def is_slow(pattern: str) -> bool:
    tree = parse_regex(pattern)
    assert tree is not None
    return is_exponential(tree)


def runs_within(pattern: str, text: str, seconds: float) -> bool:
    search = "import re, sys; re.search(sys.argv[1], sys.argv[2])"
    try:
        subprocess.run([sys.executable, "-c", search, pattern, text], timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.parametrize(("pattern", "text"), EXPONENTIAL)
def test_a_repeat_whose_rounds_can_be_cut_in_many_ways_is_slow(pattern: str, text: str) -> None:
    assert is_slow(pattern)


@pytest.mark.parametrize(("pattern", "text"), HARMLESS)
def test_other_repeats_of_repeats_are_not(pattern: str, text: str) -> None:
    assert not is_slow(pattern)
    # It ends at all, which the slow ones do not within any time that a test could wait.
    assert runs_within(pattern, text, seconds=60)


@pytest.mark.parametrize("number", [0, 5, 9])
def test_the_slow_ones_really_are(number: int) -> None:
    assert not runs_within(*EXPONENTIAL[number], seconds=2)


@pytest.mark.parametrize(
    ("pattern", "degree"),
    [
        (r"^ORD-\d+$", 1),
        (r"^\s+$", 1),
        (r"\A\s+$", 1),
        (r"(?m)^\s+$", 2),
        (r"\s+$", 2),
        (r"foo\s+$", 1),
        (r"^\d+\d+\d+x", 3),
        (r"^\d{1,20}\d{1,20}x", 2),
        (r"^\d{1,5}\d{1,5}x", 0),
        (r"^\d{20}\d{20}$", 0),
        (r"^(.*)-(.*)-(.*)$", 3),
        (r"^.*a.*b.*c.*d$", 4),
        (r".*foo.*bar.*", 3),
        (r"(\w+)\s*=\s*(\w+)", 2),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", 2),
        (r"^(?:\s+|x\s+y\s+)\s*z", 2),
        (r"^(?:\s+)?\s*\s*z", 3),
        (r"^\d+(?:,\d+)*$", 1),
        (r"(?x) ^ \d+ # a number \d+\d+", 0),
        (SHIPPED, 2),
        (r"", 0),
    ],
)
def test_repeats_in_a_row_that_take_the_same_characters_are_counted(
    pattern: str, degree: int
) -> None:
    tree = parse_regex(pattern)
    assert tree is not None
    assert not is_exponential(tree)
    assert degree_of(tree) == degree


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?P<a>x)(?P=a)", "(", "a{99999999999}", "*"])
def test_what_refers_back_or_is_no_pattern_is_not_judged(pattern: str) -> None:
    assert parse_regex(pattern) is None


FORMS = (
    *(r"a{}", r"a{,}b", r"a{,3}", r"x|y|", r"[]]+", r"[^]a]", r"[^\]]", r"\Bfoo\b", r"\.\$\^\{"),
    *(r"(a)?(?(1)b|c)", r"(?#hi)a", r"(?i:a)B", r"(?-i:a)", r"(?s).", "a\nb", r"\N{BULLET}"),
    *(r"\x41\u0042\103", r"(?x)a # (", r"(?<=a)b", r"(?<!a)(?!b)", r"a*?b+?c??", r"\0", "\u2022+"),
)


@pytest.mark.parametrize("pattern", FORMS)
def test_every_form_of_pattern_is_read(pattern: str) -> None:
    assert parse_regex(pattern) is not None


PARTS = r"""
    a b . \d \w [ab] [^a] ( (?: ) | * + ? {2} {1,} {,3} ^ $ \b (?= (?! (?> (?i) (?x: (?P<n> +? *+ #
"""


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(st.sampled_from([*PARTS.split(), " "]), max_size=9).map("".join))
def test_whatever_python_takes_for_a_pattern_is_judged(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        assume(False)
    tree = parse_regex(pattern)
    assert tree is not None
    assert isinstance(is_exponential(tree), bool)
    assert degree_of(tree) >= 0


@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(st.text(max_size=30))
def test_no_text_is_too_much(text: str) -> None:
    tree = parse_regex(text)
    if tree is not None:
        is_exponential(tree)
        degree_of(tree)


def path(pattern: str, **match: Any) -> dict[str, Any]:
    call = {"tool": "get_order", "input": {"order_id": "1"}}
    return {"fastPaths": [{"name": "p", "match": {"patterns": [pattern], **match}, "call": call}]}


@pytest.mark.parametrize(
    ("pattern", "match", "number"),
    [
        (r"^(\w+\s?)*$", {}, 1),
        (r"^(.*)-(.*)-(.*)$", {}, 0),
        (r"^(.*)-(.*)-(.*)$", {"maxCharacters": 1000}, 1),
        (r".*a.*b.*c", {}, 1),
        (SHIPPED, {}, 0),
        ("(", {}, 0),
    ],
)
def test_patterns_of_messages_are_judged_by_how_long_these_may_be(
    pattern: str, match: dict[str, Any], number: int
) -> None:
    found = said("ILK-C027", agent=path(pattern, **match))
    assert [each.where for each in found] == ["fastPaths[0].match.patterns[0]"] * number


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"properties": {"a": {"pattern": r"(a+)+$"}}}, ["input.properties.a.pattern"]),
        ({"properties": {"a": {"pattern": r".*@.*\..*x"}}}, ["input.properties.a.pattern"]),
        ({"properties": {"a": {"pattern": r".*@.*\..*x", "maxLength": 50}}}, []),
        ({"$defs": {"a": {"items": [{"pattern": r"(a+)+$"}]}}}, ["input.$defs.a.items[0].pattern"]),
        ({"properties": {"a": {"default": {"pattern": r"(a+)+$"}}}}, []),
        ({"properties": {"pattern": {"type": "string"}}}, []),
    ],
)
def test_patterns_of_inputs_are_found_wherever_a_schema_has_them(
    schema: dict[str, Any], where: list[str]
) -> None:
    found = said("ILK-C027", tools=[tool("first", input={"type": "object", **schema})])
    assert [each.where for each in found] == where
