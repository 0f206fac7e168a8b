"""Money as the API gives it: US dollars in a decimal string."""

from __future__ import annotations

from interlock.model.usage import usd

__all__ = ["known_cost", "usd_text"]


def usd_text(nano: int) -> str:
    """Nano-dollars as US dollars, exactly and without an exponent, such as `0.001234`."""
    text = f"{usd(nano):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def known_cost(cost_nano: int, unpriced_calls: int) -> str | None:
    """The cost of the calls whose price is known, in US dollars.

    None when there were calls and the price of none of them is known, which is not 0.
    """
    return None if unpriced_calls and not cost_nano else usd_text(cost_nano)
