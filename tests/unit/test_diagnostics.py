from __future__ import annotations

import pytest

from interlock.diagnostics import CODES, Diagnostic, Location, nearest, render_text
from interlock.errors import ConfigError

FILES = {"agents.d/a.yaml": "name: a\n\tlimits: {ä: 1}\r\nlast".encode()}


def finding(
    line: int, column: int, *, hint: str | None = None, path: str = "agents.d/a.yaml"
) -> Diagnostic:
    return Diagnostic("ILK-C003", "it is wrong", Location(path, line, column), hint)


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (
            finding(1, 7, hint="write b"),
            [
                "agents.d/a.yaml:1:7: error[ILK-C003]: it is wrong",
                "    1 | name: a",
                "      |       ^",
                "      = hint: write b",
            ],
        ),
        (
            finding(2, 14),
            [
                "agents.d/a.yaml:2:14: error[ILK-C003]: it is wrong",
                "    2 |  limits: {ä: 1}",
                "      |              ^",
            ],
        ),
        (
            finding(3, 1),
            ["agents.d/a.yaml:3:1: error[ILK-C003]: it is wrong", "    3 | last", "      | ^"],
        ),
        (finding(4, 1), ["agents.d/a.yaml:4:1: error[ILK-C003]: it is wrong"]),
        (finding(1, 1, path="x.yaml"), ["x.yaml:1:1: error[ILK-C003]: it is wrong"]),
    ],
)
def test_a_finding_shows_its_line_and_its_place(found: Diagnostic, lines: list[str]) -> None:
    assert render_text([found], FILES) == "\n".join(lines)


def test_findings_follow_one_another() -> None:
    text = render_text([finding(1, 1), finding(3, 1)], FILES)
    assert text.count("error[ILK-C003]") == 2


def test_a_file_that_is_no_utf8_can_still_be_shown() -> None:
    text = render_text([finding(1, 1)], {"agents.d/a.yaml": b"\xff\xfe"})
    assert "    1 | \N{REPLACEMENT CHARACTER}" in text


def test_a_finding_is_json_for_other_programs() -> None:
    found = Diagnostic(
        "ILK-C016", "unused", Location("t.yaml", 2, 3), "drop it", "warning", where="name"
    )
    assert found.to_json() == {
        "severity": "warning",
        "code": "ILK-C016",
        "message": "unused",
        "file": "t.yaml",
        "line": 2,
        "column": 3,
        "where": "name",
        "hint": "drop it",
    }
    assert str(found) == "t.yaml:2:3: warning[ILK-C016]: unused"


def test_places_are_in_the_order_in_which_one_reads() -> None:
    places = [Location("b", 1), Location("a", 10, 2), Location("a", 10, 1), Location("a", 9, 5)]
    assert [str(place) for place in sorted(places)] == ["a:9:5", "a:10:1", "a:10:2", "b:1:1"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("maxTokns", "maxTokens"), ("max_tokens", "maxTokens"), ("zebra", None), ("", None)],
)
def test_a_name_close_by_is_found(name: str, expected: str | None) -> None:
    assert nearest(name, ["maxTokens", "maxIterations", "warnAt"]) == expected


def test_every_code_has_its_sentence() -> None:
    assert all(code.startswith("ILK-") and text.endswith(".") for code, text in CODES.items())


@pytest.mark.parametrize(("severities", "words"), [([], "0 errors"), (["error"], "1 error")])
def test_an_error_counts_what_was_found(severities: list[str], words: str) -> None:
    warning = Diagnostic("ILK-C016", "unused", Location("t"), severity="warning")
    found = [*(finding(1, 1) for _ in severities), warning]
    error = ConfigError(found)
    assert str(error) == f"the configuration has {words}"
    assert error.diagnostics == tuple(found)
