"""A session that stands for any customer's, to render prompts with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from interlock.model.base import JsonObject
from interlock.model.tool import Tool
from interlock.templates import TemplateFault, attributes_of

__all__ = ["bound_claims", "read_claims", "sample_session"]

_METHODS = frozenset(dir(dict))
_ASKED_BY_JINJA = ("unsafe_callable", "alters_data", "jinja_pass_arg")
"""Attributes that mean something to jinja2 wherever they are found."""


class _Claim(str):
    """A claim of whatever kind a template takes it for: a text, a number, a list or a mapping."""

    __slots__ = ()

    def __getattr__(self, name: str) -> _Claim:
        if name.startswith("_") or name in _ASKED_BY_JINJA:
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> _Claim:
        return self

    def __call__(self, *arguments: object, **named: object) -> _Claim:
        return self

    def __iter__(self) -> Iterator[_Claim]:
        yield self

    def items(self) -> list[tuple[_Claim, _Claim]]:
        return [(self, self)]

    def __contains__(self, item: object) -> bool:
        return True

    def __int__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __neg__(self) -> _Claim:
        return self

    def __abs__(self) -> _Claim:
        return self

    def __round__(self, digits: int | None = None) -> int:
        return 1

    def _same(self, other: object) -> _Claim:
        return self

    def _yes(self, other: object) -> bool:
        return True

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _same
    __pow__ = __rpow__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _yes


def bound_claims(tools: Iterable[Tool]) -> frozenset[str]:
    """The claims that the tools cannot do without, and that every session therefore has."""
    return frozenset(
        claim for tool in tools for text in tool.bind.values() for claim in read_claims(text)
    )


def read_claims(template: str) -> frozenset[str]:
    """The claims that a template reads from the session; none if it is not a template."""
    try:
        return attributes_of(template, "session") - _METHODS
    except TemplateFault:
        return frozenset()


def sample_session(claims: Iterable[str]) -> JsonObject:
    """A session that has the claims."""
    return {claim: _Claim("sample") for claim in claims}
