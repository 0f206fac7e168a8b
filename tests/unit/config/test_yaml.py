from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.config.yaml import MAX_FILE_BYTES, YamlDocument, parse_yaml
from interlock.diagnostics import CODES, Diagnostic
from tests.unit.config.project import CORPUS


def parse(text: str | bytes) -> tuple[list[YamlDocument], list[Diagnostic]]:
    return parse_yaml("a.yaml", text.encode() if isinstance(text, str) else text)


def value(text: str) -> Any:
    (document,), found = parse(text)
    assert found == []
    return document.value


def codes(text: str | bytes) -> list[str]:
    """What was found, as `CODE LINE:COLUMN`."""
    return [
        f"{found.code.removeprefix('ILK-')} {found.location.line}:{found.location.column}"
        for found in parse(text)[1]
    ]


def test_libyaml_is_there() -> None:
    assert yaml.__with_libyaml__


class TestPlaces:
    TEXT = """\
# A comment.
name: support
tags: [a, "ü", {deep: 1}]
text: |
  first
  second
list:
  - one
  - key: 2
    other: ~
  -
    - nested
übung: {größe: 3}
"folded key": >-
  one
"""

    @pytest.mark.parametrize(
        ("path", "at_value", "at_key"),
        [
            ((), "2:1", "2:1"),
            (("name",), "2:7", "2:1"),
            (("tags",), "3:7", "3:1"),
            (("tags", 0), "3:8", "3:8"),
            (("tags", 1), "3:11", "3:11"),
            (("tags", 2), "3:16", "3:16"),
            (("tags", 2, "deep"), "3:23", "3:17"),
            (("text",), "4:7", "4:1"),
            (("list",), "8:3", "7:1"),
            (("list", 0), "8:5", "8:5"),
            (("list", 1), "9:5", "9:5"),
            (("list", 1, "key"), "9:10", "9:5"),
            (("list", 1, "other"), "10:12", "10:5"),
            (("list", 2, 0), "12:7", "12:7"),
            (("übung", "größe"), "13:16", "13:9"),
            (("folded key",), "14:15", "14:1"),
        ],
    )
    def test_every_value_and_key_has_its_place(
        self, path: tuple[str | int, ...], at_value: str, at_key: str
    ) -> None:
        (document,), _ = parse(self.TEXT)
        place = document.place(path)
        assert str(place.value) == f"a.yaml:{at_value}"
        assert str(place.key) == f"a.yaml:{at_key}"

    @pytest.mark.parametrize("path", [("text",), ("folded key",)])
    def test_a_block_text_begins_below_its_mark(self, path: tuple[str]) -> None:
        (document,), _ = parse(self.TEXT)
        assert document.place(path).block
        assert not document.place(("name",)).block

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            (("name", "x"), "2:7"),
            (("tags", 9), "3:7"),
            (("zzz", 1), "2:1"),
            (("list", 1, "q"), "9:5"),
        ],
    )
    def test_what_is_not_there_has_the_place_of_what_would_hold_it(
        self, path: tuple[str | int, ...], expected: str
    ) -> None:
        (document,), _ = parse(self.TEXT)
        assert str(document.place(path).value) == f"a.yaml:{expected}"

    def test_every_document_has_places_in_its_file(self) -> None:
        first, second = parse("a: 1\n---\n# c\na: 2\nb: 3\n")[0]
        assert str(first.place(("a",)).value) == "a.yaml:1:4"
        assert str(second.place(("a",)).value) == "a.yaml:4:4"
        assert str(second.place(("b",)).key) == "a.yaml:5:1"

    def test_a_value_behind_an_alias_is_where_it_was_written(self) -> None:
        (document,), found = parse("a: &x {b: 1}\nc: *x\n")
        assert found == []
        assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
        place = document.place(("c", "b"))
        assert str(place.value) == "a.yaml:1:11"
        assert str(document.place(("c",)).key) == "a.yaml:2:1"

    def test_a_byte_order_mark_takes_no_column(self) -> None:
        (document,), found = parse(b"\xef\xbb\xbfa: 1")
        assert (document.value, found) == ({"a": 1}, [])
        assert str(document.place(("a",)).key) == "a.yaml:1:1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("'yes'", "yes"),
        ('"012"', "012"),
        ("nobody", "nobody"),
        ("onward", "onward"),
        ("2026-11-22", "2026-11-22"),
        ("1_000", "1_000"),
        ("10s", "10s"),
        ("1.2.3", "1.2.3"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("http://a:1/b", "http://a:1/b"),
        ("99:99", "99:99"),
        ('"a\\u00fc\\n"', "aü\n"),
        ('"\\U0001F600"', "😀"),
        ("9" * 40, int("9" * 40)),
    ],
)
def test_a_scalar_is_what_every_yaml_version_reads(text: str, expected: Any) -> None:
    read = value(f"key: {text}")["key"]
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "No", "ON", "off", "Yes"),
        *("012", "00", "08", "-012", "0_1"),
        *("0x1F", "0o17", "0b101", "-0xA"),
        *("12:30:00", "1:30", "190:20:30.15"),
        *(".inf", "-.inf", "+.INF", ".nan", ".NaN"),
    ],
)
def test_a_scalar_that_yaml_versions_read_differently_is_not_guessed_at(text: str) -> None:
    assert codes(f"key: {text}") == ["Y004 1:6"]
    assert codes(f"- [a, {text}]") == ["Y004 1:7"]
    (finding,) = parse(f"key: {text}")[1]
    assert finding.hint is not None
    assert f'"{text}"' in finding.hint
    assert value(f"key: '{text}'") == {"key": text}
    assert value(f"key: |-\n  {text}") == {"key": text}


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert value("200: a\n1.5: b\ntrue: c\n~: d\n'': e") == {
        "200": "a",
        "1.5": "b",
        "true": "c",
        "~": "d",
        "": "e",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2", ["Y003 2:1"]),
        ("{a: 1, b: 2, a: 3}", ["Y003 1:14"]),
        ("a: 1\n'a': 2\n\"a\": 3", ["Y003 2:1", "Y003 3:1"]),
        ("x:\n  - {1: a, '1': b}", ["Y003 2:12"]),
        ("a: {b: 1}\nc: {b: 1}", []),
        ("yes: 1\nno: 2", ["Y004 1:1", "Y004 2:1"]),
        ("<<: {a: 1}", ["Y005 1:1"]),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2", ["Y005 3:3"]),
        ("'<<': 1", []),
        ("? [a, b]\n: 1", ["Y005 1:3"]),
        ("? {a: b}\n: 1", ["Y005 1:3"]),
        ("a: !secret x", ["Y005 1:4"]),
        ("a: !!binary aGk=", ["Y005 1:4"]),
        ("a: !!python/object:os.system x", ["Y005 1:4"]),
        ("a: !!set {x, y}", ["Y005 1:4"]),
        ("a: !local [1]", ["Y005 1:4"]),
        ("a: !local {x: 1}", ["Y005 1:4"]),
        ("a: !!int abc", ["Y005 1:4"]),
        ("a: !!float abc", ["Y005 1:4"]),
        ("a: !!bool maybe", ["Y005 1:4"]),
        ("!local x", ["Y005 1:1"]),
        ("a: !!str 5", []),
        ("a: 1e999", ["Y005 1:4"]),
        ("a: -1e999", ["Y005 1:4"]),
        ("a: " + "9" * 41, ["Y005 1:4"]),
        ("a: 0." + "0" * 60 + "1", ["Y005 1:4"]),
        ("a: &x yes\nb: *x\nc: *x", ["Y004 1:4"]),
        ("a: &x {b: 1, b: 2}\nc: *x", ["Y003 1:14"]),
        ("a: &x 1\nb: [*x, *x, *x]", []),
        ("a: &x [*x]", ["Y006 1:4"]),
        ("a: &x {b: {c: *x}}", ["Y006 1:4"]),
        ("&x a: *x", []),
    ],
)
def test_surprises_are_findings_at_their_place(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b: c", "Y001 1:5"),
        ("a: [1, 2", "Y001 2:1"),
        ("a: 'x", "Y001 1:6"),
        ("a:\n\tb: 1", "Y001 2:1"),
        ("a: @x", "Y001 1:4"),
        ("- a\nb: c", "Y001 2:1"),
        ("a: *nope", "Y001 1:4"),
        ("a: 1\n...\nb", "Y001 3:1"),
        ("%YAML 1.9\n---\na: 1", "Y001 1:1"),
        ('a: "\\ud800"', "Y001 1:7"),
        ('a: "\\q"', "Y001 1:5"),
        ("é: \x00", "Y001 1:4"),
        ("a: 1\nb: x\x07y", "Y001 2:5"),
        ("a: \x7f", "Y001 1:4"),
        ("a: \ufffe", "Y001 1:4"),
        (b"a: \xff", "Y002 1:4"),
        ("é: ".encode() + b"\xe9", "Y002 1:4"),
        (b"\xef\xbb\xbfa: 1\nb: \xff", "Y002 2:4"),
        ("a: 1".encode("utf-16"), "Y002 1:1"),
        (b"x" * (MAX_FILE_BYTES + 1), "Y006 1:1"),
    ],
)
def test_what_is_no_yaml_is_found_where_it_stops_being_it(text: str | bytes, expected: str) -> None:
    assert codes(text) == [expected]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "   \n#x", "\ufeff"])
def test_a_file_without_a_document_has_none(text: str) -> None:
    assert parse(text) == ([], [])


def test_documents_before_a_broken_one_are_kept() -> None:
    documents, found = parse("a: 1\n---\nb: [\n")
    assert [document.value for document in documents] == [{"a": 1}]
    assert [finding.code for finding in found] == ["ILK-Y001"]


def test_all_that_is_wrong_with_a_file_is_found_at_once() -> None:
    assert codes("a: yes\nb: !x 1\nb: 012\n---\nc: 1\nc: 2\n") == [
        "Y004 1:4",
        "Y005 2:4",
        "Y003 3:1",
        "Y003 6:1",
    ]


LAUGHS = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "[" * 500_000,
        "{a: " * 100_000,
        "- " * 100_000 + "x",
        "? " * 100_000 + "x",
        "".join(f"{' ' * depth}a:\n" for depth in range(1000)),
        f"a: &a [x, x, x, x, x, x, x, x, x, x]\n{LAUGHS}",
    ],
    ids=["lists", "many lists", "mappings", "dashes", "questions", "indentation", "laughs"],
)
def test_what_nests_or_expands_without_end_is_a_finding_and_not_the_end(text: str) -> None:
    """In a process of its own: too deep a recursion in C ends it."""
    script = (
        "import sys\n"
        "from interlock.config.yaml import parse_yaml\n"
        "print(*(found.code for found in parse_yaml('a', sys.stdin.buffer.read())[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=text.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"ILK-Y006\n")


def test_what_nests_reasonably_is_read() -> None:
    depth = 60
    read = value("[" * depth + "]" * depth)
    for _ in range(depth - 1):
        (read,) = read
    assert read == []


def check(data: bytes) -> None:
    documents, found = parse(data)
    for document in documents:
        assert document.place(()).value.path == "a.yaml"
    lines = data.decode(errors="replace").splitlines() or [""]
    for finding in found:
        assert finding.code in CODES
        assert finding.location.column >= 1
        # The end of the file is a place, too.
        assert 1 <= finding.location.line <= len(lines) + 1


@given(st.binary(max_size=200))
def test_any_bytes_are_documents_or_findings(data: bytes) -> None:
    check(data)


@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@#?~ \n\t01<\\u\x00\ufeffü", max_size=60))
def test_any_text_of_yamls_own_characters_is_documents_or_findings(text: str) -> None:
    check(text.encode())


VALID = [path.read_bytes() for path in sorted((CORPUS / "_base").rglob("*.yaml"))]


@settings(max_examples=300)
@given(st.sampled_from(VALID), st.data())
def test_a_file_cut_or_damaged_anywhere_is_documents_or_findings(
    valid: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(min_value=0, max_value=len(valid) - 1))
    length = data.draw(st.integers(min_value=0, max_value=5))
    inserted = data.draw(st.binary(max_size=3))
    check(valid[:place])
    check(valid[:place] + inserted + valid[place + length :])


def test_a_digest_is_a_text_whatever_it_begins_with() -> None:
    for start in ("0b73be", "0b0129", "00ff", "12ab"):
        digest = start.ljust(64, "c")
        (document,), found = parse_yaml("a.yaml", f"sha256: {digest}\n".encode())
        assert (found, document.value) == ([], {"sha256": digest})
