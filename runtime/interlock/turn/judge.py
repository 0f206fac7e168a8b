"""The model that judges texts for guardrails: asked within the turn's budget, and traced."""

from __future__ import annotations

from dataclasses import dataclass, field

from jsonschema import Draft202012Validator
from pydantic_core import from_json

from interlock.model.base import JsonObject
from interlock.turn.guard import NoVerdict
from interlock.turn.model_call import call_model
from interlock.turn.prompts import judge_prompt
from interlock.turn.reply import Answer, Refusal, read_reply
from interlock.turn.run import LimitReached, ModelUnavailable, Run

__all__ = ["ModelJudge"]


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks the agent's `validate` route. `final` may use what is kept back for a last answer."""

    run: Run
    final: bool = False
    notes: list[str] = field(default_factory=list)
    """What was noted, for the trace."""

    async def ask(
        self, *, instruction: str, text: str, schema: JsonObject, max_tokens: int
    ) -> JsonObject:
        """The verdict, valid by `schema`. Raises `NoVerdict`."""
        prompt = judge_prompt(
            self.run.agent,
            instruction=instruction,
            text=text,
            schema=schema,
            max_tokens=max_tokens,
        )
        try:
            reply = read_reply(await call_model(self.run, prompt, final=self.final))
        except LimitReached as limit:
            raise NoVerdict(f"no budget or time is left to ask the model: {limit}") from limit
        except (ModelUnavailable, Refusal) as failure:
            raise NoVerdict(f"the model gave no verdict: {failure}") from failure
        if not isinstance(reply, Answer):
            raise NoVerdict("the model's reply holds no finished verdict")
        return _read(reply.text, schema)

    def note(self, message: str) -> None:
        """Keeps the note."""
        self.notes.append(message)


def _read(text: str, schema: JsonObject) -> JsonObject:
    # Servers without structured output like to put a fence around their JSON.
    stripped = text.strip("`").removeprefix("json").strip() if text.startswith("```") else text
    try:
        value = from_json(stripped)
    except ValueError as error:
        raise NoVerdict("the model's verdict is not JSON") from error
    problem = next(Draft202012Validator(schema).iter_errors(value), None)
    if problem is not None or not isinstance(value, dict):
        said = "it is no object" if problem is None else problem.message
        raise NoVerdict(f"the model's verdict has the wrong form: {said}")
    return value
