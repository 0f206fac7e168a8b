"""From a rule's reply to a message of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from interlock.sim.prompt import tokens_in
from interlock.sim.request import Request
from interlock.sim.rules import Reply
from interlock.sim.template import compile_text, compile_value
from interlock.templates import TemplateFault

__all__ = ["Draft", "ReplyTemplate"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply before it has ids, a signature and input usage."""

    content: list[Any]
    """Blocks; a `tool_use` has no id yet and a `thinking` block its whole text."""
    stop_reason: str
    output_tokens: int
    thinking_tokens: int


class ReplyTemplate:
    """A rule's reply, compiled."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._thinking = None if reply.thinking is None else compile_text(reply.thinking)
        self._text = None if reply.text is None else compile_text(reply.text)
        self._json = compile_value(reply.json_value) if reply.has_json else None
        self._tools = [(tool.name, compile_value(tool.input)) for tool in reply.tools]

    def draft(self, request: Request, context: Mapping[str, Any]) -> Draft:
        """The reply to a request. Raises `TemplateFault`.

        A reply that does not fit into the request's `max_tokens` is cut, as a model's would be:
        the runtime must never see more output than it asked for.
        """
        try:
            return self._draft(request, self._content(request, context))
        except PydanticSerializationError as error:
            raise TemplateFault(str(error)) from error

    def _draft(self, request: Request, content: list[Any]) -> Draft:
        reply = self._reply
        has_tools = any(isinstance(b, dict) and b.get("type") == "tool_use" for b in content)
        stop_reason = reply.stop_reason or ("tool_use" if has_tools else "end_turn")
        is_raw = reply.content is not None or reply.usage is not None
        fitting, is_cut = (content, False) if is_raw else _fit(content, request.max_tokens)
        sizes = [_size(block) for block in fitting]
        thinking = sum(
            size
            for block, size in zip(fitting, sizes, strict=True)
            if isinstance(block, dict) and block.get("type") == "thinking"
        )
        # A model writes at least one token to end its turn.
        output = max(1, tokens_in(sum(sizes))) if reply.usage is None else reply.usage.output
        return Draft(
            fitting,
            "max_tokens" if is_cut else stop_reason,
            min(output, request.max_tokens) if is_cut else output,
            min(tokens_in(thinking), output),
        )

    def _content(self, request: Request, context: Mapping[str, Any]) -> list[Any]:
        if self._reply.content is not None:
            return list(self._reply.content)
        content: list[Any] = []
        if self._thinking is not None and _may_think(request):
            content.append({"type": "thinking", "thinking": self._thinking(context)})
        if self._text is not None:
            content.append({"type": "text", "text": self._text(context)})
        if self._json is not None:
            content.append({"type": "text", "text": to_json(self._json(context)).decode()})
        for name, render in self._tools:
            arguments = render(context)
            content.append({"type": "tool_use", "name": name, "input": arguments})
        return content


def _may_think(request: Request) -> bool:
    thinking = request.body.get("thinking")
    if thinking is None:
        return request.traits.thinks_by_default
    return bool(thinking["type"] != "disabled")


def _fit(content: list[Any], max_tokens: int) -> tuple[list[Any], bool]:
    """The blocks that fit, the last one cut, and whether anything was."""
    room = max_tokens * 4
    fitting: list[Any] = []
    for block in content:
        size = _size(block)
        if tokens_in(room - size) >= 0:
            fitting.append(block)
            room -= size
            continue
        kind = block["type"]
        if kind == "tool_use":
            fitting.append({**block, "input": {}})
        elif room > 0:
            cut = block[kind].encode()[:room].decode(errors="ignore")
            fitting.append({**block, kind: cut})
        return fitting, True
    return fitting, False


def _size(block: Any) -> int:
    """The bytes of a block that count as output."""
    if isinstance(block, dict):
        match block.get("type"):
            case "text" | "thinking" as kind if isinstance(block.get(kind), str):
                return len(block[kind].encode())
            case "tool_use":
                return len(to_json(block.get("input"))) + len(str(block.get("name")))
    return len(to_json(block))
