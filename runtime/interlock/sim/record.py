"""What a simulator remembers of the requests it has answered, for tests and for `GET /stats`."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from pydantic_core import from_json

from interlock.model.base import Json, JsonObject

__all__ = ["Entry", "Record"]

_MAX_ENTRIES = 200
_MAX_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and how it was answered."""

    request_id: str
    path: str
    body: bytes
    status: int | None
    """None when the connection was closed or left open without an answer."""
    rule: str | None


class Record:
    """Counts of everything, and the newest requests: 200 at most, and 64 MB of bodies."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._total = 0
        self._by_rule: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Counts a request and keeps it until newer ones need the room."""
        self._total += 1
        self._by_status[str(entry.status) if entry.status else "none"] += 1
        if entry.rule is not None:
            self._by_rule[entry.rule] += 1
        self._entries.append(entry)
        self._bytes += len(entry.body)
        while len(self._entries) > _MAX_ENTRIES or self._bytes > _MAX_BYTES:
            self._bytes -= len(self._entries.popleft().body)

    def add_usage(self, usage: JsonObject) -> None:
        """Counts the tokens of a message."""
        for name in _TOKENS:
            self._tokens[name] += usage[name]

    def stats(self) -> JsonObject:
        """The answer to `GET /stats`."""
        return {
            "requests": self._total,
            "by_rule": dict(self._by_rule),
            "by_status": dict(self._by_status),
            "tokens": {name: self._tokens[name] for name in _TOKENS},
        }

    def last(self, count: int) -> list[JsonObject]:
        """The newest `count` requests, oldest first."""
        newest = list(self._entries)[-count:] if count > 0 else []
        return [
            {
                "request_id": entry.request_id,
                "path": entry.path,
                "status": entry.status,
                "rule": entry.rule,
                "body": _readable(entry.body),
            }
            for entry in newest
        ]


_TOKENS = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)


def _readable(body: bytes) -> Json:
    """The body as JSON; one that is not JSON, as text."""
    try:
        return from_json(body)
    except ValueError:
        return body.decode(errors="replace")
