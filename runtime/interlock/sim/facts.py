"""What rules and templates may know of a request; each fact is worked out once, when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import Any

from pydantic_core import from_json

from interlock.model.base import Json, JsonObject
from interlock.sim.request import Request

__all__ = ["Facts", "Headers"]

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI gives them: names in lower case."""


class Facts:
    """A request and its headers, seen as a rule author sees them."""

    def __init__(self, request: Request, headers: Headers = ()) -> None:
        self.request = request
        self._headers = headers

    @cached_property
    def format(self) -> str | None:
        """The title of the asked-for schema, empty when it has none; None without a schema."""
        schema = self.request.schema
        return None if schema is None else str(schema.get("title", ""))

    @cached_property
    def system(self) -> str:
        """The system prompt."""
        return "\n".join(_texts(self.request.system))

    @cached_property
    def user(self) -> str:
        """The customer's text, see `rules.When.user`."""
        blocks = self.request.messages[self._user_index].blocks
        return next(iter(_texts(blocks)), "")

    @cached_property
    def text(self) -> str:
        """All text of the last message, that of tool results included."""
        texts: list[str] = []
        for block in self.request.messages[-1].blocks:
            if block["type"] == "text":
                texts.append(block["text"])
            elif block["type"] == "tool_result":
                texts.append(_result_text(block))
        return "\n".join(texts)

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The names of the offered tools."""
        return tuple(tool["name"] for tool in self.request.tools)

    @cached_property
    def called(self) -> Counter[str]:
        """How often each tool was called since the customer's text."""
        return Counter(
            block["name"]
            for message in self.request.messages[self._user_index + 1 :]
            for block in message.blocks
            if block["type"] == "tool_use"
        )

    @cached_property
    def results(self) -> dict[str, list[str]]:
        """The texts of each tool's results, oldest first, in the whole request."""
        names: dict[str, str] = {}
        results: dict[str, list[str]] = {}
        for message in self.request.messages:
            for block in message.blocks:
                if block["type"] == "tool_use":
                    names[block["id"]] = block["name"]
                elif block["type"] == "tool_result":
                    name = names[block["tool_use_id"]]
                    results.setdefault(name, []).append(_result_text(block))
        return results

    def header(self, name: str) -> str | None:
        """The value of a request header, whatever its case."""
        wanted = name.lower().encode()
        return next(
            (value.decode("latin-1") for key, value in self._headers if key == wanted), None
        )

    def context(self, match: dict[str, str | None], random: Random) -> JsonObject:
        """The names that a reply's templates can use; `match` holds the rule's named groups."""
        return {
            "match": match,
            "user": self.user,
            "result": self._result,
            "results": self._results,
            "called": lambda tool: self.called[tool],
            "request": self.request.body,
            "tools": self.offered,
            "random": random,
        }

    def describe(self) -> str:
        """The traits that rules decide by, for the author of a missing rule."""
        output = "none" if self.format is None else self.format or "any"
        return (
            f"format: {output}; model: {self.request.model}; user: {_cut(self.user)!r}; "
            f"offered: [{', '.join(self.offered)}]; called: [{', '.join(self.called)}]; "
            f"text: {_cut(self.text)!r}"
        )

    @cached_property
    def _user_index(self) -> int:
        for index in range(len(self.request.messages) - 1, -1, -1):
            message = self.request.messages[index]
            if message.role == "user" and not any(
                block["type"] == "tool_result" for block in message.blocks
            ):
                return index
        # The API's order of roles makes this reachable only when every user message has results.
        return 0

    def _results(self, tool: str) -> list[Json]:
        return [_parse(text) for text in self.results.get(tool, ())]

    def _result(self, tool: str) -> Json:
        texts = self.results.get(tool)
        return _parse(texts[-1]) if texts else None


def _texts(blocks: Sequence[JsonObject]) -> list[str]:
    return [block["text"] for block in blocks if block["type"] == "text"]


def _result_text(block: JsonObject) -> str:
    content: Any = block.get("content", "")
    return content if isinstance(content, str) else "\n".join(_texts(content))


def _parse(text: str) -> Json:
    """The JSON in a tool result; a result that is not JSON is its text."""
    try:
        return from_json(text)
    except ValueError:
        return text


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "..."
