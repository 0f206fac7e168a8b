"""Breakers as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from interlock.engine.breaker_names import yaml_key
from interlock.engine.breakers import Breakers
from interlock.service.breaker_schemas import BreakerCounts, BreakerView
from interlock.service.money import usd_text

__all__ = ["breaker_view", "breaker_views"]


def breaker_views(breakers: Breakers) -> list[BreakerView]:
    """All of them."""
    breakers.refresh()
    return [breaker_view(breakers, name) for name in breakers.names()]


def breaker_view(breakers: Breakers, name: str) -> BreakerView:
    """One of them. Raises `UnknownBreaker`."""
    status = breakers.status(name)
    return BreakerView(
        name=name,
        state=status.state,
        since=_time(status.since),
        why=status.why,
        who=status.who,
        next_probe=_time(status.until),
        held=status.held,
        disabled=status.disabled,
        key=yaml_key(name),
        counts=BreakerCounts(**_counts(breakers.counts(name))),
    )


def _counts(counts: dict[str, Any]) -> dict[str, Any]:
    """The same, with amounts in US dollars."""
    shown = {}
    for name, value in counts.items():
        if name.endswith("Nano"):
            shown[f"{name[:-4]}Usd"] = None if value is None else usd_text(value)
        else:
            shown[name] = value
    return shown


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
