"""From breakers that open and close to alerts in the log and at the webhook."""

from __future__ import annotations

import logging

from interlock.alerts.alert import Alert, AlertState, Deduplication
from interlock.engine.breaker_notice import Notice
from interlock.engine.breakers import Breakers
from interlock.ids import new_id
from interlock.webhooks.sender import WebhookSender

__all__ = ["Alerter"]

_LOG = logging.getLogger(__name__)


class Alerter:
    """Tells operators of every breaker that opens, once, and again when it has closed."""

    def __init__(self, sender: WebhookSender) -> None:
        self.sender = sender
        self._known = Deduplication()

    def begin(self, breakers: Breakers) -> None:
        """From now on what happens to these breakers is told. Those that are open were told."""
        for name in breakers.names():
            if breakers.status(name).state == "open":
                self._known.is_news(name, "firing")
        breakers.observe(self.hear)

    async def close(self) -> None:
        """Gives what is waiting a moment to be sent, and ends."""
        await self.sender.close()

    def hear(self, notice: Notice) -> None:
        """Takes a change of a breaker; neither waits nor raises."""
        if notice.state == "half_open":
            # Not known yet whether it is over.
            return
        is_open = notice.state == "open"
        state: AlertState = "firing" if is_open else "resolved"
        if not self._known.is_news(notice.breaker, state):
            return
        by = f" (by {notice.who})" if notice.who else ""
        summary = f"the breaker {notice.breaker} is {notice.state}{by}: {notice.why}"
        level = logging.WARNING if is_open else logging.INFO
        _LOG.log(level, "alert: %s; it goes by %s", summary, notice.key)
        self.sender.put(
            Alert(
                id=new_id("alert"),
                source=notice.breaker,
                state=state,
                summary=summary,
                key=notice.key,
                at=notice.at,
                who=notice.who,
            ).to_json()
        )
