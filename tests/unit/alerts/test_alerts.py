"""Alerts reach a real HTTP server, signed and once each, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from interlock.alerts.alert import Alert, Deduplication
from interlock.alerts.alerter import Alerter
from interlock.breakers.status import State
from interlock.engine.breaker_notice import Notice
from interlock.webhooks.sender import Target, WebhookSender
from interlock.webhooks.signing import sign
from tests.e2e.breakers.documented import is_genuine
from tests.e2e.breakers.webhook import SECRET, Webhook, run_webhook

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    async with run_webhook() as webhook:
        yield webhook


def alert(number: int = 1) -> Alert:
    return Alert(f"alert_{number}", "tool.x", "firing", "it is open", "tools.x.breaker", AT)


def sender(webhook: Webhook, *, attempts: int = 5, secret: str = SECRET) -> WebhookSender:
    target = Target(webhook.url, secret, timeout_seconds=5.0, attempts=attempts)
    return WebhookSender(lambda: target, first_delay=0.001)


async def test_an_alert_arrives_signed_as_the_documentation_checks_it(webhook: Webhook) -> None:
    sending = sender(webhook)
    sending.put(alert().to_json())
    await sending.close()
    assert await webhook.next("tool.x") == alert().to_json()
    assert (sending.sent, sending.failed, sending.dropped) == (1, 0, 0)


async def test_another_secret_is_no_signature(webhook: Webhook) -> None:
    sending = sender(webhook, attempts=1, secret="another")
    sending.put(alert().to_json())
    await sending.close()
    assert (sending.failed, webhook.alerts.empty()) == (1, True)


def test_a_signature_is_bound_to_body_time_and_secret() -> None:
    now = str(int(time.time()))
    signature = sign("s", now, b"{}")
    assert is_genuine("s", timestamp=now, signature=signature, body=b"{}")
    old = str(int(now) - 301)
    for secret, at, body in (
        ("t", now, b"{}"),
        ("s", now, b"{ }"),
        ("s", str(int(now) - 1), b"{}"),
    ):
        assert not is_genuine(secret, timestamp=at, signature=signature, body=body)
    assert not is_genuine("s", timestamp=old, signature=sign("s", old, b"{}"), body=b"{}")
    assert not is_genuine("s", timestamp="x", signature=sign("s", "x", b"{}"), body=b"{}")


def test_one_alert_a_breaker_and_state() -> None:
    known = Deduplication()
    assert not known.is_news("a", "resolved")
    assert known.is_news("a", "firing")
    assert not known.is_news("a", "firing")
    assert known.is_news("b", "firing")
    assert known.is_news("a", "resolved")
    assert not known.is_news("a", "resolved")
    assert known.is_news("a", "firing")


async def test_a_breaker_that_flaps_while_it_is_probed_is_told_once(webhook: Webhook) -> None:
    sending = sender(webhook)
    alerter = Alerter(sending)
    states: list[State] = ["open", "half_open", "open", "half_open", "closed", "closed"]
    for state in states:
        alerter.hear(Notice("tool.x", "tools.x.breaker", state, "why", None, AT))
    await sending.close()
    told = [await webhook.next("tool.x") for _ in range(2)]
    assert [each["state"] for each in told] == ["firing", "resolved"]
    assert told[0]["summary"] == "the breaker tool.x is open: why"
    assert webhook.alerts.empty()
