"""`pii`: finds personal data in texts and in JSON, and takes it out or refuses."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field
from pydantic_core import from_json, to_json

from interlock.guardrails.personal_data import KINDS, Kind, find_personal_data
from interlock.model.base import Json
from interlock.model.guardrail import GuardrailSettings
from interlock.turn.guard import Deny, GuardrailInput, Judge, Redact

__all__ = ["Pii", "PiiSettings"]

_WORDS: dict[Kind, str] = {
    "email": "an e-mail address",
    "phone": "a phone number",
    "card": "a card number",
    "iban": "a bank account number",
    "ssn": "a social security number",
    "ip": "an IP address",
}
_SEPARATORS = re.compile(r"[\s()./-]+")


class PiiSettings(GuardrailSettings):
    """The settings of `pii`."""

    detect: Annotated[tuple[Kind, ...], Field(min_length=1)] = KINDS
    """What is looked for."""
    action: Literal["redact", "deny"] = "redact"
    """`redact` puts `[email]` and the like in its place; `deny` is a violation."""
    allow: tuple[Annotated[str, Field(min_length=1, examples=["help@shop.example"])], ...] = ()
    """What may stand there: the shop's own addresses and numbers, or `@shop.example`."""


class Pii:
    """Looks at texts as they are, and in JSON at each text and number by itself."""

    name = "pii"

    def __init__(self, settings: PiiSettings) -> None:
        self._detect = frozenset(settings.detect)
        self._deny = settings.action == "deny"
        self._allow = frozenset(_plain(entry) for entry in settings.allow)
        self.redacts = not self._deny

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | Redact | None:
        """Redacts or denies what holds personal data."""
        found: dict[Kind, None] = {}
        if data.stage in ("tool_call", "tool_result"):
            text = to_json(self._clean(from_json(data.text), found)).decode()
        else:
            text = self._clean_text(data.text, found)
        if not found:
            return None
        if self._deny:
            return Deny(f"it holds {', '.join(_WORDS[kind] for kind in found)}", next(iter(found)))
        return Redact(text, ",".join(found))

    def _clean(self, value: Json, found: dict[Kind, None]) -> Json:
        if isinstance(value, str):
            return self._clean_text(value, found)
        if isinstance(value, int) and not isinstance(value, bool):
            text = str(value)
            cleaned = self._clean_text(text, found)
            return value if cleaned == text else cleaned
        if isinstance(value, dict):
            return {key: self._clean(item, found) for key, item in value.items()}
        if isinstance(value, list):
            return [self._clean(item, found) for item in value]
        return value

    def _clean_text(self, text: str, found: dict[Kind, None]) -> str:
        parts: list[str] = []
        end = 0
        for kind, start, stop in find_personal_data(text, self._detect):
            if self._is_allowed(text[start:stop]):
                continue
            found[kind] = None
            parts += (text[end:start], f"[{kind}]")
            end = stop
        return "".join((*parts, text[end:]))

    def _is_allowed(self, value: str) -> bool:
        plain = _plain(value)
        domain = plain[plain.rfind("@") :] if "@" in plain else plain
        return plain in self._allow or domain in self._allow


def _plain(value: str) -> str:
    lowered = value.casefold()
    return lowered if "@" in lowered else _SEPARATORS.sub("", lowered)
