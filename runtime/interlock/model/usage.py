"""Tokens and money of one model call. Money is counted in whole nano-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from interlock.model.base import JsonObject

__all__ = ["Price", "PriceRow", "Usage", "usd"]


def usd(nano: int) -> Decimal:
    """Nano-dollars as US dollars, exactly."""
    return Decimal(nano).scaleb(-9)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one model call, as the provider counted them."""

    input: int = 0
    """Input that was neither written to nor read from a cache."""
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    output: int = 0

    @property
    def prompt(self) -> int:
        """All input tokens."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    @property
    def total(self) -> int:
        """All tokens; what `limits.maxTokens` counts."""
        return self.prompt + self.output

    def to_json(self) -> JsonObject:
        """The usage as JSON."""
        return {
            "input": self.input,
            "cacheWrite5m": self.cache_write_5m,
            "cacheWrite1h": self.cache_write_1h,
            "cacheRead": self.cache_read,
            "output": self.output,
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> Usage:
        """The inverse of `to_json`."""
        return cls(
            input=value["input"],
            cache_write_5m=value["cacheWrite5m"],
            cache_write_1h=value["cacheWrite1h"],
            cache_read=value["cacheRead"],
            output=value["output"],
        )


@dataclass(frozen=True, slots=True)
class PriceRow:
    """Prices in nano-dollars for a thousand tokens, which is USD per million times 10^6."""

    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, and who says so."""

    rows: tuple[tuple[int, PriceRow], ...]
    """(prompt tokens above which the row holds, prices), ascending; the first starts at 0.
    A row holds for the whole request."""
    source: str

    def cost(self, usage: Usage) -> int:
        """The cost of one call in nano-dollars, rounded up."""
        row = self._row(usage.prompt)
        thousandths = (
            usage.input * row.input
            + usage.cache_write_5m * row.cache_write_5m
            + usage.cache_write_1h * row.cache_write_1h
            + usage.cache_read * row.cache_read
            + usage.output * row.output
        )
        return -(-thousandths // 1000)

    def worst(self, prompt_tokens: int, output_tokens: int) -> int:
        """The most that a call of this size can cost, in nano-dollars.

        Assumes that all input is billed at the dearest input rate, and at the dearest row that
        a prompt of up to this size can fall into.
        """
        rows = [row for start, row in self.rows if start == 0 or prompt_tokens > start]
        rate = max(max(r.input, r.cache_read, r.cache_write_5m, r.cache_write_1h) for r in rows)
        output = max(r.output for r in rows)
        return -(-(prompt_tokens * rate + output_tokens * output) // 1000)

    def _row(self, prompt_tokens: int) -> PriceRow:
        found = self.rows[0][1]
        for start, row in self.rows:
            if prompt_tokens > start:
                found = row
        return found
