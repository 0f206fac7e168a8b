"""A model that says what a test wants it to say, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from interlock.model.base import JsonObject
from interlock.model.plan import StepType
from interlock.model.usage import Usage
from interlock.turn.ports import ModelFailure, ModelReply

__all__ = ["Call", "ScriptedModel"]

_USAGE = Usage(input=100, output=20)


@dataclass(frozen=True, slots=True)
class Call:
    """A reply that calls a tool."""

    tool: str
    input: JsonObject = field(default_factory=dict)
    step: StepType = "gather_info"
    """The step of the plan that the call belongs to: `take_action` for a mutation."""


class ScriptedModel:
    """Gives its replies in order. Plans are made up by it, such that the next reply fits."""

    def __init__(self, replies: Sequence[str | Call]) -> None:
        self.requests: list[JsonObject] = []
        """The body of every request, oldest first."""
        self._replies = list(replies)

    async def call(self, body: JsonObject, *, timeout_seconds: float) -> ModelReply | ModelFailure:
        """The next reply; a failure if there is none left."""
        self.requests.append(body)
        if _asks_for_plan(body):
            return _reply([{"type": "text", "text": to_json(self._plan()).decode()}], "end_turn")
        if not self._replies:
            message = f"the script has no reply left for request {len(self.requests)}"
            return ModelFailure("rejected", message, None, None, False, None, 0.0)
        reply = self._replies.pop(0)
        if isinstance(reply, str):
            return _reply([{"type": "text", "text": reply}], "end_turn")
        use = {"type": "tool_use", "id": f"toolu_{len(self.requests)}", "name": reply.tool}
        return _reply([{**use, "input": reply.input}], "tool_use")

    def _plan(self) -> JsonObject:
        following = self._replies[0] if self._replies else ""
        types = ["respond"]
        if isinstance(following, Call):
            types.insert(0, following.step)
        return {"steps": [{"type": type_, "instruction": "Do it."} for type_ in types]}


def _asks_for_plan(body: JsonObject) -> bool:
    schema = body.get("output_config", {}).get("format", {}).get("schema", {})
    return "steps" in schema.get("properties", {})


def _reply(content: list[JsonObject], stop_reason: str) -> ModelReply:
    return ModelReply(content, stop_reason, _USAGE, "req_scripted", 0.0)
