"""The page on watching names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "watching.md").read_text()
ROWS = [line for line in PAGE.splitlines() if "`test_" in line]


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_every_test_that_is_named_is_there(row: str) -> None:
    named = re.search(r"`(tests/\S+\.py)`", row)
    path = ROOT / (named[1] if named else "tests/e2e/reload/test_pitfalls.py")
    for test in re.findall(r"`(test_\w+)", row):
        assert f"async def {test}(" in path.read_text()


def test_every_pitfall_has_a_row() -> None:
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(n) for n in range(1, 15)]
