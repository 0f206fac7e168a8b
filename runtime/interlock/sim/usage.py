"""What a reply costs: tokens in and out, and which part of the prompt a cache would have held."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from interlock.model.base import JsonObject
from interlock.sim.prompt import Prompt, tokens_in
from interlock.sim.request import Request

__all__ = ["PromptCache", "PromptUsage"]

_LOOK_BACK = 20
"""How many blocks before a breakpoint an earlier entry is looked for."""


@dataclass(frozen=True, slots=True)
class PromptUsage:
    """The tokens of one prompt; the four parts add up to all of it."""

    fresh: int
    write_5m: int
    write_1h: int
    read: int

    def to_json(self, output: int, thinking: int) -> JsonObject:
        """The `usage` of a message."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m,
                "ephemeral_1h_input_tokens": self.write_1h,
            },
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": thinking},
            "service_tier": "standard",
        }


class PromptCache:
    """The prefixes that were marked with `cache_control`; the longest unused is forgotten first.

    Entries do not expire with time: the simulator's answers depend on requests alone.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def account(self, request: Request, prompt: Prompt) -> PromptUsage:
        """The prompt's usage; its marked prefixes are known from now on."""
        pieces = list(prompt.pieces())
        marked = [index for index, piece in enumerate(pieces) if piece.ttl is not None]
        if not marked:
            return PromptUsage(prompt.tokens, 0, 0, 0)
        digest = blake2b(request.model.encode() + b" " + prompt.schema, digest_size=16)
        size, prefixes = len(prompt.schema), []
        for piece in pieces[: marked[-1] + 1]:
            digest.update(piece.data)
            size += len(piece.data)
            prefixes.append((digest.digest(), size))
        minimum = request.traits.min_cached_tokens
        read_bytes = self._find(prefixes, marked, minimum)
        cached = read_bytes
        written = {"5m": 0, "1h": 0}
        for index in marked:
            key, size = prefixes[index]
            if tokens_in(size) < minimum:
                continue
            if size > cached:
                written[pieces[index].ttl or "5m"] += tokens_in(size) - tokens_in(cached)
                cached = size
            self._remember(key)
        read = tokens_in(read_bytes)
        fresh = prompt.tokens - read - sum(written.values())
        return PromptUsage(fresh, written["5m"], written["1h"], read)

    def _find(self, prefixes: list[tuple[bytes, int]], marked: list[int], minimum: int) -> int:
        """The bytes of the longest known prefix."""
        for index in reversed(marked):
            for key, size in reversed(prefixes[max(0, index - _LOOK_BACK) : index + 1]):
                if tokens_in(size) >= minimum and key in self._known:
                    self._remember(key)
                    return size
        return 0

    def _remember(self, key: bytes) -> None:
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)
