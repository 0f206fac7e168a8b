from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from interlock.model.tool import Retry
from interlock.tools.http_retry import parse_retry_after, wait_seconds

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
RETRY = Retry(attempts=5, delay=timedelta(milliseconds=200))


def test_the_delay_doubles() -> None:
    waits = [wait_seconds(RETRY, n, retry_after_seconds=None, random=0.0) for n in (1, 2, 3)]
    assert waits == [0.2, 0.4, 0.8]


def test_callers_do_not_come_back_together() -> None:
    assert wait_seconds(RETRY, 1, retry_after_seconds=None, random=1.0) == pytest.approx(0.15)


def test_a_server_is_given_the_time_that_it_asks_for() -> None:
    assert wait_seconds(RETRY, 1, retry_after_seconds=3.0, random=0.5) == 3.0
    assert wait_seconds(RETRY, 1, retry_after_seconds=0.0, random=0.0) == 0.2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 400, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds
