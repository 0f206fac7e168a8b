from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from interlock.config.validate import document_path, validate
from interlock.config.yaml import parse_yaml
from interlock.model.base import Document, Duration, EnvRef, Name, TextOrFile, Usd, ValueOrEnv


class Inner(Document):
    """A part."""

    count: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    kind: Literal["lookup", "search"] = "lookup"
    where: str = "x"


class Outer(Document):
    """A document with one of everything."""

    name: Name
    part: Inner = Inner()
    parts: tuple[Inner, ...] = ()
    named: dict[Name, Inner] = Field(default={})
    by_kind: dict[Literal["lookup", "search"], str] = Field(default={})
    texts: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)
    text: Annotated[str, Field(min_length=1)] = "a"
    flag: bool = False
    cost: Usd | None = None
    wait: Duration | None = None
    secret: EnvRef | None = None
    address: ValueOrEnv = "a"
    prompt: TextOrFile = "a"
    mixed: dict[str, str | int | float | bool] = Field(default={})

    @model_validator(mode="after")
    def _check(self) -> Outer:
        if self.flag and self.cost is not None:
            raise PydanticCustomError("either", "'flag' and 'cost' exclude each other")
        return self


def findings(text: str) -> list[str]:
    (document,), problems = parse_yaml("f", text.encode())
    assert problems == []
    read, found = validate(Outer, document)
    assert (read is None) == bool(found)
    return [
        f"{finding.location.line}:{finding.location.column} {finding.code.removeprefix('ILK-')}"
        f" {finding.message}" + (f" ({finding.hint})" if finding.hint else "")
        for finding in found
    ]


NAME = "be a letter, then letters, digits, _ and -, 64 at most"
CASES: list[tuple[str, str]] = [
    # What is missing is reported where it would stand.
    ("text: x", "1:1 C001 the document needs the key 'name' (add 'name:')"),
    ("name: a\nprompt: {}", "2:1 C001 'prompt' needs the key 'file' (add 'file:')"),
    ("name: a\nsecret: {default: x}", "2:1 C001 'secret' needs the key 'env' (add 'env:')"),
    # An unknown key is reported at the key.
    ("name: a\npart: {cuont: 1}", "2:8 C002 unknown key 'cuont' in 'part' (did you mean 'count'?)"),
    (
        "name: a\nparts:\n- colour: 1",
        "3:3 C002 unknown key 'colour' in 'parts[0]' (known here: count, share, kind, where)",
    ),
    (
        "name: a\nnamed: {b: {zzz: 1}}",
        "2:13 C002 unknown key 'zzz' in 'named.b' (known here: count, share, kind, where)",
    ),
    (
        "name: a\nprompt: {fiel: x, file: y}",
        "2:10 C002 unknown key 'fiel' in 'prompt' (did you mean 'file'?)",
    ),
    ("name: a\nby_kind: {}", "2:1 C002 unknown key 'by_kind' (did you mean 'byKind'?)"),
    # The wrong type is reported at the value.
    ("name: 5", '1:7 C003 name must be a text, got 5 (quote it: "5")'),
    ("name: true", '1:7 C003 name must be a text, got true (quote it: "true")'),
    ("name: [a]", "1:7 C003 name must be a text, got a list"),
    ("name:", "1:6 C003 name must be a text, got nothing"),
    (
        "name: a\npart: {count: '5'}",
        "2:15 C003 part.count must be a whole number, got 5 (write it without quotes: 5)",
    ),
    ("name: a\npart: {count: five}", "2:15 C003 part.count must be a whole number, got five"),
    ("name: a\npart: {count: 1.5}", "2:15 C003 part.count must be a whole number, got 1.5"),
    (
        "name: a\npart: {share: '-.5'}",
        "2:15 C003 part.share must be a number, got -.5 (write it without quotes: -.5)",
    ),
    (
        "name: a\nflag: 'true'",
        "2:7 C003 flag must be true or false, got true (write it without quotes: true)",
    ),
    ("name: a\nflag: 1", "2:7 C003 flag must be true or false, got 1"),
    ("name: a\ncost: free", "2:7 C003 cost must be a number, got free"),
    ("name: a\ncost: 'nan'", "2:7 C003 cost must be a number, got nan"),
    ("name: a\npart: x", "2:7 C003 part must be a mapping, got x"),
    ("name: a\npart: [x]", "2:7 C003 part must be a mapping, got a list"),
    ("name: a\nnamed: [x]", "2:8 C003 named must be a mapping, got a list"),
    ("name: a\ntexts: x", "2:8 C003 texts must be a list, got x"),
    ("name: a\ntexts: {x: 1}", "2:8 C003 texts must be a list, got a mapping"),
    ("name: a\ntexts: [x, 7]", '2:12 C003 texts[1] must be a text, got 7 (quote it: "7")'),
    ("- name", "1:1 C003 the document must be a mapping, got a list"),
    ("name", "1:1 C003 the document must be a mapping, got name"),
    # A text or a reference.
    ("name: a\nprompt: [x]", "2:9 C003 prompt must be a text or a mapping, got a list"),
    (
        "name: a\nprompt: 5",
        "2:9 C003 prompt must be a text or a mapping, got 5",
    ),
    ("name: a\naddress:", "2:9 C003 address must be a text or a mapping, got nothing"),
    ("name: a\nprompt: {file: ''}", "2:16 C003 prompt.file must not be empty"),
    (
        "name: a\nsecret: hunter2",
        "2:9 C003 secret must be a mapping such as {env: NAME}"
        " (put the value into an environment variable)",
    ),
    (
        "name: a\nmixed: {b: [1]}",
        "2:12 C003 mixed.b must be a text, a whole number, a number or true or false, got a list",
    ),
    # Bounds, choices, patterns, lengths, times.
    ("name: a\npart: {count: 0}", "2:15 C003 part.count must be at least 1, got 0"),
    ("name: a\npart: {count: 10}", "2:15 C003 part.count must be at most 9, got 10"),
    ("name: a\npart: {share: 0}", "2:15 C003 part.share must be more than 0.0, got 0"),
    ("name: a\npart: {share: 1}", "2:15 C003 part.share must be less than 1.0, got 1"),
    ("name: a\ncost: -0.5", "2:7 C003 cost must be at least 0, got -0.5"),
    (
        "name: a\npart: {kind: lokup}",
        "2:14 C003 part.kind must be 'lookup' or 'search', got lokup (did you mean 'lookup'?)",
    ),
    ("name: a\npart: {kind: 5}", "2:14 C003 part.kind must be 'lookup' or 'search', got 5"),
    (
        "name: 5th",
        "1:7 C003 name must be a letter, then letters, digits, _ and -, 64 at most, got 5th",
    ),
    ("name: a\ntexts: []", "2:8 C003 texts needs at least 1 item(s)"),
    ("name: a\ntext: ''", "2:7 C003 text must not be empty"),
    (
        "name: a\nwait: 10",
        "2:7 C003 wait must be a time such as 500ms, 10s, 5m or 1h, got 10",
    ),
    # A key that may not be one is reported at the key.
    (
        "name: a\nnamed: {5th: {}}",
        f"2:9 C003 a key of named must {NAME}, got 5th",
    ),
    (
        "name: a\nbyKind: {serach: x}",
        "2:10 C003 a key of byKind must be 'lookup' or 'search', got serach"
        " (did you mean 'search'?)",
    ),
    # A rule over several keys is reported for the whole.
    (
        "name: a\nflag: true\ncost: 1",
        "1:1 C003 the document: 'flag' and 'cost' exclude each other",
    ),
    # Long values are cut.
    (
        "name: " + "x" * 99,
        f"1:7 C003 name must {NAME}, got {'x' * 57}...",
    ),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_a_fault_has_its_place_and_its_words(text: str, expected: str) -> None:
    assert findings(text) == [expected]


def test_all_faults_are_found_at_once() -> None:
    text = "nmae: a\npart: {count: 0, share: x}\nparts: [{}, {kind: x}]\nnamed: {5: {count: x}}"
    assert [line.split(" ")[0:2] for line in findings(text)] == [
        ["1:1", "C001"],
        ["2:15", "C003"],
        ["2:25", "C003"],
        ["3:20", "C003"],
        ["4:9", "C003"],
        ["4:20", "C003"],
        ["1:1", "C002"],
    ]


def test_a_block_text_is_faulted_at_its_mark() -> None:
    (line,) = findings("name: |\n  not a name\n")
    assert line.startswith(f"1:7 C003 name must {NAME}")


@pytest.mark.parametrize(
    "text",
    [
        "name: a",
        "name: a\nparts: [{count: 2}]\nnamed: {b: {}}\nbyKind: {search: x}",
        "name: a\ncost: 0.5\nwait: 10s\nsecret: {env: A}\naddress: {env: A}\nprompt: {file: x}",
        "name: a\nmixed: {a: x, b: 1, c: 1.5, d: true}\npart: {share: 0.25}",
    ],
)
def test_what_is_right_is_read(text: str) -> None:
    assert findings(text) == []


def test_numbers_are_read_as_they_are_written() -> None:
    (document,), _ = parse_yaml("f", b"name: a\ncost: 0.1\nmixed: {a: 1, b: 1.0, c: true}")
    read, _ = validate(Outer, document)
    assert read is not None
    assert str(read.cost) == "0.1"
    assert [type(item) for item in read.mixed.values()] == [int, float, bool]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("limits",), "limits"),
        (("limits", "maxTokens"), "limits.maxTokens"),
        (("fastPaths", 0, "match", "patterns", 12), "fastPaths[0].match.patterns[12]"),
        ((0, "a"), "[0].a"),
    ],
)
def test_a_path_reads_as_people_write_it(path: tuple[Any, ...], text: str) -> None:
    assert document_path(path) == text


def test_a_finding_carries_its_path() -> None:
    (document,), _ = parse_yaml("f", b"name: a\nparts: [{count: 0}, {kidn: x}]\nprompt: {}")
    _, found = validate(Outer, document)
    assert [finding.where for finding in found] == [
        "parts[0].count",
        "parts[1].kidn",
        "prompt.file",
    ]
