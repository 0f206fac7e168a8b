"""A turn's progress on a terminal, one line for each trace event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.text import Text

from interlock.cli.text import plural, short
from interlock.model.base import Json, JsonObject

__all__ = ["Progress", "summary"]

_LONGEST = 160


class Progress:
    """Prints trace events as they come."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, kind: str, view: JsonObject) -> None:
        """Prints an event of type `kind`; `view` has what its data has, and its measures."""
        describe = _LINES.get(kind)
        line = None if describe is None else describe(view)
        if line is None:
            return
        label, text, style = line
        shown = Text.assemble((f"{label:<11} ", "dim"), (short(text, _LONGEST), style))
        self._console.print(shown, soft_wrap=True)


def summary(answer: JsonObject) -> str:
    """How a turn ended and what it took, in a line; `answer` is that of the API."""
    unpriced = answer["unpricedCalls"]
    cost = "cost unknown" if answer["costUsd"] is None else f"${answer['costUsd']}"
    if unpriced and answer["costUsd"] is not None:
        cost += f" and {plural(unpriced, 'call')} of unknown cost"
    parts = [
        f"{answer['outcome']} ({answer['reason']})",
        plural(answer["iterations"], "iteration"),
        plural(answer["modelCalls"], "model call"),
        plural(answer["toolCalls"], "tool call"),
        plural(answer["tokens"], "token"),
        cost,
        answer["turnId"],
    ]
    return ", ".join(parts)


_Line = tuple[str, str, str]


def _plan(view: JsonObject) -> _Line:
    if "invalid" in view or "steps" not in view:
        return "plan", f"not usable: {view.get('invalid', 'see the trace')}", "yellow"
    steps = "; ".join(f"{step['type']}: {step['instruction']}" for step in view["steps"])
    return "plan", steps, ""


def _model_call(view: JsonObject) -> _Line:
    model, route = view.get("model") or "", view["route"]
    if view.get("failure"):
        said = f": {view['message']}" if view.get("message") else ""
        text = f"{route} {model} attempt {view['attempt']} failed: {view['failure']}{said}"
        return "model", text, "yellow"
    return "model", f"{route} {model} {view.get('tokens') or 0} tokens{_took(view)}", "dim"


def _tool_call(view: JsonObject) -> _Line:
    given = f" {_json(view['input'])}" if "input" in view else ""
    return "tool", f"{view['tool']}{given}", ""


def _tool_result(view: JsonObject) -> _Line:
    status = view["status"]
    said = f": {view['message']}" if view.get("message") else ""
    effect = ", it may or may not have happened" if view["effect"] == "unknown" else ""
    style = {"success": "green", "not_found": "yellow"}.get(status, "red")
    return "result", f"{view['tool']} {status}{effect}{_took(view)}{said}", style


def _guardrail(view: JsonObject) -> _Line:
    if view["verdict"] == "allow":
        return "guardrail", f"{view['stage']} allowed", "dim"
    said = f": {view['message']}" if view.get("message") else ""
    if view["verdict"] == "redact":
        return "guardrail", f"{view['stage']} redacted by {view['guardrail']}", "yellow"
    return "guardrail", f"{view['stage']} denied by {view['guardrail']}{said}", "red"


def _observation(view: JsonObject) -> _Line | None:
    if view["action"] == "continue":
        return None
    return "observe", f"{view['action']}: {view['reason']}", "dim"


def _breaker(view: JsonObject) -> _Line:
    said = f": {view['detail']}" if view.get("detail") else ""
    return "breaker", f"{view['breaker']} ({view['limit']}){said}", "red"


def _escalation(view: JsonObject) -> _Line:
    return "escalation", f"to {view['queue']}: {view['reason']}", "yellow"


def _missed(view: JsonObject) -> _Line:
    return "", f"{view['count']} events came too fast to be shown; the trace has them", "dim"


_LINES: Mapping[str, Callable[[JsonObject], _Line | None]] = {
    "plan": _plan,
    "model_call": _model_call,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "guardrail": _guardrail,
    "observation": _observation,
    "breaker": _breaker,
    "escalation": _escalation,
    "missed": _missed,
}


def _took(view: JsonObject) -> str:
    latency = view.get("latencyMs")
    return "" if latency is None else f" {latency:.0f} ms"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
