"""`grounded`: what an answer states has to come from the customer or from a tool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic_core import to_json

from interlock.guardrails.amounts import find_amounts, find_numbers
from interlock.guardrails.dates import Day, blank_days, find_days
from interlock.guardrails.status_claims import StatusWords
from interlock.model.base import Name
from interlock.model.guardrail import GuardrailSettings, GuardrailStage, Regex
from interlock.turn.guard import Deny, Evidence, GuardrailInput, Judge

__all__ = ["Grounded", "GroundedSettings"]

_STATUS_WORDS = (
    *("shipped", "dispatched", "delivered", "in transit", "on its way", "on the way"),
    *("out for delivery", "delayed", "refunded", "cancelled", "processing"),
)
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_MOST_NAMED = 10


class GroundedSettings(GuardrailSettings):
    """The settings of `grounded`."""

    stages: ClassVar[tuple[GuardrailStage, ...]] = ("output",)

    patterns: dict[Name, Regex] = Field(default={}, examples=[{"order": r"ORD-\d+"}])
    """Regular expressions for ids that an answer must not make up, by what they are called."""
    amounts: bool = True
    """Whether amounts of money are checked."""
    dates: bool = True
    """Whether days of the calendar are checked."""
    status_words: tuple[Annotated[str, Field(min_length=1)], ...] = _STATUS_WORDS
    """What is not to be claimed of something whose look-up failed."""
    allow: tuple[Annotated[str, Field(min_length=1, examples=["free above $50"])], ...] = ()
    """Texts that count as known, such as the shop's terms."""


@dataclass(slots=True)
class _Known:
    """All that the evidence shows."""

    ids: dict[str, set[str]]
    customer: list[str] = field(default_factory=list)
    numbers: set[Decimal] = field(default_factory=set)
    days: set[Day] = field(default_factory=set)
    status: set[str] = field(default_factory=set)


class Grounded:
    """Compares the ids, amounts, dates and status words of an answer with the evidence."""

    name = "grounded"

    def __init__(self, settings: GroundedSettings) -> None:
        self._settings = settings
        self._patterns = {name: re.compile(text) for name, text in settings.patterns.items()}
        self._status = StatusWords(settings.status_words)

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies an answer with anything that the evidence does not show; names each value."""
        known = self._read(data)
        unknown = list(dict.fromkeys(self._unknown(data.text, known)))
        issues: list[tuple[str, str]] = []
        if unknown:
            named = ", ".join(unknown[:_MOST_NAMED])
            issues.append(("made_up", f"neither the customer nor a tool result shows {named}"))
        failed = _failed_tools(data.evidence)
        if failed:
            claims = dict(self._status.claims(data.text))
            named = ", ".join(
                f"'{word}' in \"{clause[:200]}\""
                for word, clause in claims.items()
                if word not in known.status
            )
            if named:
                tools = ", ".join(failed)
                message = f"it states what is not known, as {tools} failed: {named}"
                issues.append(("status_unknown", message))
        if not issues:
            return None
        return Deny("; ".join(message for _, message in issues), issues[0][0])

    def _unknown(self, answer: str, known: _Known) -> Iterator[str]:
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(answer):
                value = match[0]
                if value and not self._is_known_id(name, value, known):
                    yield f"{name} {value}"
        days = list(find_days(answer))
        if self._settings.amounts:
            for written, values in find_amounts(blank_days(answer, days)):
                if values and not values & known.numbers:
                    yield f"amount {written}"
        if self._settings.dates:
            for found in days:
                if not any(day.is_among(known.days) for day in found.meanings):
                    yield f"date {found.text}"

    def _is_known_id(self, name: str, value: str, known: _Known) -> bool:
        if value.casefold() in known.ids[name]:
            return True
        # Customers write `order 1001` or `ord 1001`; the same parts in the same order will do.
        parts = [re.escape(part) for part in _PARTS.findall(value.casefold())]
        if not parts:
            return False
        between = r"[\W_]{0,3}"
        written = re.compile(rf"(?<![^\W_]){between.join(parts)}(?![^\W_])")
        return any(written.search(text) for text in known.customer)

    def _read(self, data: GuardrailInput) -> _Known:
        known = _Known({name: set() for name in self._patterns})
        session = to_json(data.session).decode()
        for text in (*self._settings.allow, session):
            self._take(text, known)
        for evidence in data.evidence:
            if evidence.source == "customer":
                known.customer.append(evidence.text.casefold())
            elif not evidence.failed:
                known.status |= self._status.known(evidence.text)
            self._take(evidence.text, known, without=_asked(evidence))
        return known

    def _take(self, text: str, known: _Known, *, without: str = "") -> None:
        """Learns from a text; an id that also stands in `without` is not learnt."""
        for name, pattern in self._patterns.items():
            asked = {match[0].casefold() for match in pattern.finditer(without)}
            known.ids[name] |= {match[0].casefold() for match in pattern.finditer(text)} - asked
        days = list(find_days(text))
        known.numbers.update(find_numbers(blank_days(text, days)))
        known.days.update(*(found.meanings for found in days))


def _asked(evidence: Evidence) -> str:
    """The input of a call that found nothing: that the model asked for an id shows nothing."""
    if evidence.source != "tool" or evidence.arguments is None:
        return ""
    found = not evidence.failed and '"status":"not_found"' not in evidence.text
    return "" if found else to_json(evidence.arguments).decode()


def _failed_tools(evidence: Sequence[Evidence]) -> list[str]:
    """The tools of which no call of this turn succeeded."""
    tools: dict[str, bool] = {}
    for each in evidence:
        if each.source == "tool" and each.tool is not None:
            tools[each.tool] = tools.get(each.tool, True) and each.failed
    return [tool for tool, failed in tools.items() if failed]
