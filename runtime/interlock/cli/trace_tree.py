"""A turn's trace as a tree for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text
from rich.tree import Tree

from interlock.cli.text import plural, short
from interlock.model.base import Json, JsonObject
from interlock.model.event import TraceEvent
from interlock.model.usage import Usage, usd

__all__ = ["trace_tree"]

_LONGEST = 240
_WIDEST = 4096
_STATUS = {"success": "green", "not_found": "yellow", "error": "red"}
_OUTCOME = {"resolved": "bold green", "failed": "bold red"}


def trace_tree(events: Sequence[TraceEvent]) -> RenderableType:
    """The events of one turn, by iteration: what was planned, called, observed and answered."""
    return _Whole(_tree(events))


class _Whole:
    """A tree whose lines are folded on a terminal, and are as long as they are in a file."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.is_terminal:
            options = options.update(no_wrap=False, overflow="fold")
        else:
            options = options.update(width=_WIDEST)
        yield from console.render(self._tree, options)


def _tree(events: Sequence[TraceEvent]) -> Tree:
    tree = Tree(_title(events))
    results = {event.data["id"]: event for event in events if event.type == "tool_result"}
    for iteration, group in groupby(events, key=lambda event: event.iteration):
        shown = [event for event in group if event.type not in ("tool_result", "response")]
        if not shown:
            continue
        title = f"iteration {iteration}" if iteration else "start"
        branch = tree.add(Text(title, "bold"))
        for event in shown:
            _add(branch, event, results)
    for event in events:
        if event.type == "response":
            reply = Text.assemble(("reply ", "bold"), short(event.data["reply"], _LONGEST))
            tree.add(reply)
    if events:
        tree.add(_totals(events))
    return tree


def _title(events: Sequence[TraceEvent]) -> Text:
    if not events:
        return Text("no events were recorded", "dim")
    first, last = events[0], events[-1]
    title = Text.assemble((first.turn_id, "bold"), f" of {first.agent} ")
    if last.type != "response":
        return title.append("has not ended", "yellow")
    outcome = last.data["outcome"]
    title.append(outcome, _OUTCOME.get(outcome, "bold yellow"))
    return title.append(f" ({last.data['reason']})")


def _add(branch: Tree, event: TraceEvent, results: Mapping[str, TraceEvent]) -> None:
    data = event.data
    match event.type:
        case "plan":
            _add_plan(branch, data)
        case "model_call":
            branch.add(_model_call(event))
        case "tool_call":
            _add_tool_call(branch, event, results.get(data["id"]))
        case "guardrail":
            branch.add(_guardrail(data))
        case "observation":
            said = _said(data.get("detail"))
            branch.add(_line("observation ", f"{data['action']}: {data['reason']}{said}"))
        case "breaker":
            said = _said(data.get("detail"))
            branch.add(_line("breaker ", f"{data['breaker']} ({data['limit']}){said}", "red"))
        case "escalation":
            said = _said(data.get("detail"))
            text = f"to {data['queue']}: {data['reason']}{said}"
            branch.add(_line("escalation ", text, "yellow"))
        case _:
            branch.add(_line(f"{event.type} ", _json(data)))


def _add_plan(branch: Tree, data: JsonObject) -> None:
    if "steps" not in data:
        branch.add(_line("plan ", f"not usable: {data['invalid']}", "yellow"))
        return
    steps = branch.add(Text("plan", "bold cyan"))
    for number, step in enumerate(data["steps"], 1):
        marks = "".join(
            f", {mark}"
            for mark, holds in (
                ("optional", step.get("priority") == "optional"),
                ("hard", step.get("hard")),
            )
            if holds
        )
        tools = f" [{', '.join(step['tools'])}]" if step.get("tools") else ""
        steps.add(
            Text.assemble(
                f"{number}. {step['type']}{marks}: ",
                short(step["instruction"], _LONGEST),
                (tools, "dim"),
            )
        )


def _model_call(event: TraceEvent) -> Text:
    data = event.data
    text = Text.assemble(("model ", "bold cyan"), f"{data['route']} {event.model}")
    if data["attempt"] > 1:
        text.append(f", attempt {data['attempt']}")
    if "failure" in data:
        status = f" {data['status']}" if data.get("status") else ""
        text.append(f", failed: {data['failure']}{status}{_said(data.get('message'))}", "red")
        if data.get("maybeBilled"):
            text.append(f", counted as {event.tokens} tokens, {_money(event.cost_nano)}", "yellow")
        retry = data.get("retryInSeconds")
        text.append(", not tried again" if retry is None else f", again in {retry:.1f} s")
    else:
        usage = Usage.from_json(data["usage"])
        cached = f" ({usage.cache_read} cached)" if usage.cache_read else ""
        text.append(f", {usage.prompt} in{cached}, {usage.output} out, {_money(event.cost_nano)}")
        text.append(f", {data['stopReason']}")
    if data.get("reminded"):
        text.append(", reminded")
    return text.append(_took(event.latency_ms), "dim")


def _add_tool_call(branch: Tree, event: TraceEvent, result: TraceEvent | None) -> None:
    data = event.data
    title = Text.assemble(("tool ", "bold cyan"), data["tool"], f" {_json(data['input'])} ")
    if result is None:
        branch.add(title.append("no result", "yellow"))
        return
    found = result.data
    title.append(found["status"], _STATUS.get(found["status"], ""))
    if found["effect"] != "none":
        title.append(f", effect {found['effect']}", "red" if found["effect"] == "unknown" else "")
    if found["attempts"] != 1:
        title.append(f", {found['attempts']} attempts")
    node = branch.add(title.append(_took(result.latency_ms), "dim"))
    if found["message"]:
        node.add(Text(short(found["message"], _LONGEST), _STATUS.get(found["status"], "")))
    if found["data"] is not None:
        node.add(Text(_json(found["data"]), "dim"))
    if found["cut"]:
        node.add(Text(f"cut: {'; '.join(found['cut'])}", "yellow"))


def _guardrail(data: JsonObject) -> Text:
    stage = f"{data['stage']} of {data['tool']}" if data.get("tool") else data["stage"]
    if data["verdict"] == "allow":
        by = f" in spite of {data['guardrail']}" if data.get("guardrail") else ""
        return _line("guardrail ", f"{stage}: allowed{by}{_said(data.get('message'))}")
    said = _said(data.get("message"))
    if data["verdict"] == "redact":
        return _line("guardrail ", f"{stage}: redacted by {data['guardrail']}{said}", "yellow")
    return _line("guardrail ", f"{stage}: denied by {data['guardrail']}{said}", "red")


def _totals(events: Sequence[TraceEvent]) -> Text:
    calls = [event for event in events if event.type == "model_call"]
    usages = [Usage.from_json(event.data["usage"]) for event in calls if "usage" in event.data]
    tools = sum(event.type == "tool_call" for event in events)
    end = events[-1]
    parts = [
        plural(len(calls), "model call"),
        plural(tools, "tool call"),
        f"{sum(usage.prompt for usage in usages)} tokens in",
        f"{sum(usage.output for usage in usages)} out",
        _total_cost(calls),
    ]
    took = _took(end.latency_ms) if end.type == "response" else ""
    return Text.assemble(("totals ", "bold"), ", ".join(parts), (took, "dim"))


def _total_cost(calls: Sequence[TraceEvent]) -> str:
    known = [event.cost_nano for event in calls if event.cost_nano is not None]
    unknown = sum(event.cost_nano is None and bool(event.tokens) for event in calls)
    if unknown and not known:
        return _money(None)
    cost = _money(sum(known))
    return f"{cost} and {plural(unknown, 'call')} of unknown cost" if unknown else cost


def _line(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((label, "bold cyan"), (short(text, _LONGEST), style))


def _said(detail: object) -> str:
    return f": {short(str(detail), _LONGEST)}" if detail else ""


def _json(value: Json) -> str:
    return short(json.dumps(value, ensure_ascii=False), _LONGEST)


def _money(nano: int | None) -> str:
    return "cost unknown" if nano is None else f"${usd(nano):.6f}"


def _took(latency_ms: float | None) -> str:
    if latency_ms is None:
        return ""
    return f", {latency_ms / 1000:.1f} s" if latency_ms >= 1000 else f", {latency_ms:.0f} ms"
