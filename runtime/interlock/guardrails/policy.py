"""`policy`: asks a model which of the listed rules a text breaks, and in which sentence."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from interlock.model.base import JsonObject
from interlock.model.guardrail import GuardrailSettings, GuardrailStage
from interlock.turn.guard import Deny, GuardrailInput, Judge

__all__ = ["Policy", "PolicySettings"]

_INSTRUCTION = """The text is an answer that an assistant wants to send to a customer. It must not
break any of these rules:

{rules}

List each rule that it clearly breaks by its number, once, with the sentence that breaks it,
copied from the text letter by letter. To say that something is unknown, not possible, or up to
somebody else breaks no rule that forbids to promise or to reveal it. List nothing if you are in
doubt, and nothing if no rule is broken."""

_SCHEMA: JsonObject = {
    "title": "policy",
    "type": "object",
    "properties": {
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"rule": {"type": "integer"}, "sentence": {"type": "string"}},
                "required": ["rule", "sentence"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["violations"],
    "additionalProperties": False,
}

_MOST_TOKENS = 400
_LONGEST_QUOTE = 300


class PolicySettings(GuardrailSettings):
    """The settings of `policy`."""

    stages: ClassVar[tuple[GuardrailStage, ...]] = ("output",)

    rules: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(min_length=1, examples=[["No promises about refund dates"]]),
    ]
    """What answers must not do, one thing a rule, in words."""


class Policy:
    """Judges by the model of the agent's `validate` route."""

    name = "policy"

    def __init__(self, settings: PolicySettings) -> None:
        self._rules = tuple(rule.strip() for rule in settings.rules)
        rules = "\n".join(f"{number}. {rule}" for number, rule in enumerate(self._rules, 1))
        self._instruction = _INSTRUCTION.format(rules=rules)

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies an answer that breaks a rule, with the sentences that do. Raises `NoVerdict`."""
        verdict = await judge.ask(
            instruction=self._instruction, text=data.text, schema=_SCHEMA, max_tokens=_MOST_TOKENS
        )
        text = _flat(data.text)
        broken: dict[int, str] = {}
        for violation in verdict["violations"]:
            number, sentence = violation["rule"], " ".join(violation["sentence"].split())
            known = 1 <= number <= len(self._rules)
            if known and sentence and _flat(sentence) in text:
                broken.setdefault(number, sentence[:_LONGEST_QUOTE])
            else:
                # A model that makes up what it objects to must not block an answer.
                said = f"rule {number}: {sentence[:_LONGEST_QUOTE]!r}"
                judge.note(f"the model objected to what the answer does not say ({said})")
        if not broken:
            return None
        issues = [
            f'it breaks the rule "{self._rules[number - 1]}" with "{sentence}"'
            for number, sentence in broken.items()
        ]
        return Deny("; ".join(issues), f"rules[{next(iter(broken)) - 1}]")


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()
