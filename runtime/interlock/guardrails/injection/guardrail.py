"""`injection`: refuses texts that try to give the model orders of their own."""

from __future__ import annotations

import asyncio

from interlock.guardrails.injection.messages import message_for
from interlock.guardrails.injection.question import ask_model
from interlock.guardrails.injection.score import Score, score
from interlock.guardrails.injection.settings import InjectionSettings
from interlock.turn.guard import Deny, GuardrailInput, Judge, NoVerdict

__all__ = ["Injection"]

_THRESHOLDS = {"low": 1.4, "medium": 1.0, "high": 0.6}
_UNSURE = 0.5
"""The share of the threshold from which on rules are not sure that a text is harmless."""

_SLACK = 1e-9
"""Sums of weights such as 0.7 and 0.3 are not exact."""

_LONG = 8192
"""From this many characters on, a text is read in a thread: it takes milliseconds."""


class Injection:
    """Judges by rules, and asks a model where it is told to."""

    name = "injection"

    def __init__(self, settings: InjectionSettings) -> None:
        self._threshold = settings.threshold or _THRESHOLDS[settings.sensitivity]
        self._classifier = settings.classifier

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies a text that the rules or the model hold for an attack.

        A text that is suspicious, and that the model cannot be asked about, is denied as well.
        """
        if len(data.text) < _LONG:
            found = score(data.text, data.stage)
        else:
            found = await asyncio.to_thread(score, data.text, data.stage)
        if found.strongest is not None and found.total >= self._threshold - _SLACK:
            return Deny(message_for(found.strongest, data.stage), found.strongest)
        unsure = found.total >= self._threshold * _UNSURE - _SLACK
        if self._classifier == "always" or (self._classifier == "unsure" and unsure):
            return await self._ask(data, judge, found if unsure else None)
        return None

    async def _ask(
        self, data: GuardrailInput, judge: Judge, suspicious: Score | None
    ) -> Deny | None:
        try:
            opinion = await ask_model(judge, data.text, data.stage)
        except NoVerdict:
            # Denied only if something speaks against it: else nobody could write without a model.
            rule = "classifier_unavailable"
            return Deny(message_for(rule, data.stage), rule) if suspicious else None
        if not opinion.attack:
            return None
        return Deny(message_for("classifier", data.stage, reason=opinion.reason), "classifier")
