"""The conversation of a request: who speaks when, and that every tool call has its result."""

from __future__ import annotations

from typing import Any

from interlock.model.base import JsonObject
from interlock.sim.blocks import check_block, read_content
from interlock.sim.errors import ApiError, reject
from interlock.sim.models import ModelTraits
from interlock.sim.request import Message

__all__ = ["read_messages"]


def read_messages(value: Any, traits: ModelTraits, *, has_tools: bool) -> list[Message]:
    """The messages, or `ApiError` for the first one that the API would refuse."""
    if not isinstance(value, list):
        reject("messages", "Input should be a valid list")
    if not value:
        reject("messages", "at least one message is required")
    messages = [
        _read_message(item, index, is_last=index == len(value) - 1)
        for index, item in enumerate(value)
    ]
    _check_roles(messages, traits)
    calls = _Calls()
    for index, message in enumerate(messages):
        calls.follow(message, index)
    calls.close()
    if calls.seen and not has_tools:
        reject(
            "tools",
            "Requests which include `tool_use` or `tool_result` blocks must define tools",
        )
    _check_end(messages[-1], traits)
    return messages


def _read_message(value: Any, index: int, *, is_last: bool) -> Message:
    place = f"messages.{index}"
    if not isinstance(value, dict):
        reject(place, "Input should be an object")
    for name in ("role", "content"):
        if name not in value:
            reject(f"{place}.{name}", "Field required")
    for name in value:
        if name not in ("role", "content"):
            reject(f"{place}.{name}", "Extra inputs are not permitted")
    role, content = value["role"], value["content"]
    if role not in ("user", "assistant", "system"):
        reject(f"{place}.role", "Input should be 'user', 'assistant' or 'system'")
    if content == "" or content == []:
        if is_last and role == "assistant":
            return Message(role, [])
        raise ApiError(
            400,
            f"{place}: all messages must have non-empty content except for the optional final "
            "assistant message",
        )
    blocks = read_content(content, f"{place}.content")
    for number, block in enumerate(blocks):
        check_block(block, role, f"{place}.content.{number}")
    return Message(role, blocks)


def _check_roles(messages: list[Message], traits: ModelTraits) -> None:
    """The first role is `user`; `system` stands between a user and an assistant turn, or last.

    Consecutive messages of one role are allowed: the API joins them into one turn.
    """
    previous = None
    for index, message in enumerate(messages):
        place = f"messages.{index}"
        if message.role == "system":
            if not traits.system_messages:
                raise ApiError(400, "role 'system' is not supported on this model")
            if previous != "user":
                reject(place, "role 'system' must follow a 'user' message")
        elif previous is None and message.role != "user":
            reject(place, 'first message must use the "user" role')
        elif previous == "system" and message.role == "user":
            reject(
                f"messages.{index - 1}",
                "role 'system' must precede an 'assistant' message or end the array",
            )
        previous = message.role


def _check_end(last: Message, traits: ModelTraits) -> None:
    if last.role != "assistant" or traits.prefill:
        return
    # A paused turn is sent back as it is, to be continued; it ends with a server tool's block.
    kind = last.blocks[-1]["type"] if last.blocks else ""
    if kind == "server_tool_use" or kind.endswith("_tool_result"):
        return
    raise ApiError(
        400,
        "This model does not support assistant message prefill. The conversation must end with a "
        "user message.",
    )


class _Calls:
    """Follows tool calls and their results through the turns of a conversation."""

    def __init__(self) -> None:
        self.seen = False
        self._ids: set[str] = set()
        self._asked: dict[str, int] = {}
        """The calls of the newest assistant turn, with the message that made each."""
        self._answered: set[str] = set()
        self._role = ""
        self._is_late = False
        """Whether the user turn holds something else before this point."""

    def follow(self, message: Message, index: int) -> None:
        if message.role != self._role:
            self._turn(message.role)
        for number, block in enumerate(message.blocks):
            kind, place = block["type"], f"messages.{index}.content.{number}"
            if kind == "tool_use":
                self._call(block, index, place)
            elif kind == "tool_result":
                self._result(block, place)
            else:
                self._is_late = True

    def close(self) -> None:
        """Refuses calls that have no result when the user turn that owes them is over."""
        missing = [call for call in self._asked if call not in self._answered]
        if missing:
            reject(
                f"messages.{self._asked[missing[0]]}",
                "`tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message.",
            )

    def _turn(self, role: str) -> None:
        if self._role != "assistant":
            self.close()
            self._asked, self._answered = {}, set()
        self._role = role
        self._is_late = False

    def _call(self, block: JsonObject, index: int, place: str) -> None:
        self.seen = True
        call = block["id"]
        if call in self._ids:
            reject(place, f"`tool_use` ids must be unique, found {call} again")
        self._ids.add(call)
        self._asked[call] = index

    def _result(self, block: JsonObject, place: str) -> None:
        self.seen = True
        call = block["tool_use_id"]
        if call not in self._asked:
            reject(
                place,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message.",
            )
        if call in self._answered:
            reject(place, f"each tool_use must have a single result, found another for {call}")
        if self._is_late:
            reject(place, "`tool_result` blocks must come first in the content of the message")
        self._answered.add(call)
