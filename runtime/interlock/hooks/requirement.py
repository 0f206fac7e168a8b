"""Plugins that must be there, and from which version on."""

from __future__ import annotations

import re

__all__ = ["is_met", "parse_requirement"]

_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")


def parse_requirement(text: str) -> tuple[str, str | None]:
    """The name and the least version of a checked requirement: `pii>=1.2` or `pii`."""
    name, _, version = text.partition(">=")
    return name, version or None


def is_met(least: str, version: str | None) -> bool:
    """Whether a version is `least` or a later one. `1.2` and `1.2.0` are the same."""
    found = _NUMBERS.match(version or "")
    return found is not None and _release(found[1]) >= _release(least)


def _release(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
