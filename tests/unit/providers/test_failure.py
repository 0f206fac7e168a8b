from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.providers.failure import explain_failure, parse_retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "in a while"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:30 +0100"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 99 Nov 2026 11:00:00 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 99999999999999999999 11:00:00 GMT"}, None),
    ],
)
def test_reads_what_the_server_asks(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_retry_after(headers, now=NOW) == seconds


@given(st.text())
def test_any_header_is_a_wait_or_none(value: str) -> None:
    found = parse_retry_after({"retry-after": value}, now=NOW)
    assert found is None or found >= 0


@given(st.integers(min_value=0, max_value=100_000))
def test_a_date_counts_from_now(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after({"retry-after": date}, now=NOW) == seconds


def test_does_not_explain_what_no_call_should_raise() -> None:
    assert explain_failure(KeyError("x"), now=NOW) is None
