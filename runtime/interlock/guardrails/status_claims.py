"""Sentences that state a status as a fact, such as `Your parcel has been delivered`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["StatusWords", "normalise"]

_CLAUSES = re.compile(
    r"(?<=[.!?])\s+|\n+|;\s|\s[\u2013\u2014]\s|,?\s(?:but|however|although|though)\s", re.I
)
_HEDGED = re.compile(
    r"\b(?:cannot|can't|could|couldn't|can not|unable|not able|if|once|when|whenever|until|unless"
    r"|as soon as|whether|may (?:be|have|not)|might|would|do not know|don't know|not sure|unclear"
    r"|in case|failed to|according to you|you (?:say|said|mention|mentioned|wrote))\b|\?",
    re.I,
)
_NOT_OF_STATUS = r"(?!\s(?:your|the|this|that|these|those|a|an|my|our|it|them|of|time|fee)\b)"
_GAPS = re.compile(r"[\s_-]+")


def normalise(text: str) -> str:
    """The text in lower case, with spaces for `_` and `-`, and one spelling of `cancelled`."""
    plain = text.replace("\u2019", "'").casefold()
    return _GAPS.sub(" ", plain).replace("canceled", "cancelled")


class StatusWords:
    """The words that say how something stands."""

    def __init__(self, words: Sequence[str]) -> None:
        choices = sorted({normalise(word).strip() for word in words}, key=len, reverse=True)
        # `I had trouble processing your request` says nothing about an order.
        forms = (
            re.escape(word) + (_NOT_OF_STATUS if word.endswith("ing") else "") for word in choices
        )
        self._pattern = re.compile(rf"\b(?:{'|'.join(forms)})\b") if choices else None

    def claims(self, answer: str) -> Iterator[tuple[str, str]]:
        """Each status that the answer states without reserve, with the clause that does."""
        if self._pattern is None:
            return
        for clause in _CLAUSES.split(answer):
            plain = normalise(clause)
            if _HEDGED.search(plain):
                continue
            for match in self._pattern.finditer(plain):
                yield match[0], clause.strip()

    def known(self, text: str) -> frozenset[str]:
        """The status words that a text holds."""
        return frozenset(() if self._pattern is None else self._pattern.findall(normalise(text)))
