"""Which rule answers a request: the first whose conditions all hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from interlock.sim.facts import Facts
from interlock.sim.rules import Count, Rule, When

__all__ = ["Match", "Matcher"]

Check = Callable[[Any, Facts], bool]


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that answers, and the named groups of its `user` and `text`."""

    rule: Rule
    groups: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _Candidate:
    rule: Rule
    checks: tuple[tuple[Check, Any], ...]


class Matcher:
    """The rules, and how many requests have reached those that count."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._candidates = [_Candidate(rule, _checks(rule.when)) for rule in rules]
        self._reached: Counter[str] = Counter()

    def find(self, facts: Facts) -> Match | None:
        """The rule for the request, if there is one. Counts for `times` and `nth`."""
        for candidate in self._candidates:
            if all(check(wanted, facts) for check, wanted in candidate.checks):
                rule = candidate.rule
                if self._is_turn(rule):
                    return Match(rule, _groups(rule.when, facts))
        return None

    def _is_turn(self, rule: Rule) -> bool:
        when = rule.when
        if when.times is None and when.nth is None:
            return True
        self._reached[rule.name] += 1
        count = self._reached[rule.name]
        if when.times is not None:
            return count <= when.times
        return when.nth is None or count % when.nth.every == when.nth.phase


def _groups(when: When, facts: Facts) -> dict[str, str | None]:
    """The groups of `text` and of `user`; where both name one, the customer's text counts."""
    groups: dict[str, str | None] = {}
    for pattern, text in ((when.text, facts.text), (when.user, facts.user)):
        found = pattern.search(text) if pattern is not None and pattern.groupindex else None
        groups |= found.groupdict() if found is not None else {}
    return groups


def _checks(when: When) -> tuple[tuple[Check, Any], ...]:
    """The given conditions, cheap ones first."""
    given = [(check, getattr(when, name)) for name, check in _CHECKS.items()]
    return tuple((check, wanted) for check, wanted in given if wanted not in (None, (), {}))


def _check_format(wanted: str, facts: Facts) -> bool:
    if wanted in ("any", "none"):
        return (facts.format is None) == (wanted == "none")
    return facts.format is not None and facts.format.lower() == wanted.lower()


def _check_messages(wanted: Count, facts: Facts) -> bool:
    count = len(facts.request.messages)
    return wanted.min <= count and (wanted.max is None or count <= wanted.max)


def _check_results(wanted: Mapping[str, Any], facts: Facts) -> bool:
    results = facts.results
    return all(
        name in results and pattern.search(results[name][-1]) for name, pattern in wanted.items()
    )


def _check_header(wanted: Mapping[str, Any], facts: Facts) -> bool:
    values = {name: facts.header(name) for name in wanted}
    return all(value is not None and wanted[name].search(value) for name, value in values.items())


_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "format": _check_format,
        "tool_choice": lambda wanted, facts: facts.request.tool_choice == wanted,
        "messages": _check_messages,
        "offered": lambda wanted, facts: all(name in facts.offered for name in wanted),
        "not_offered": lambda wanted, facts: not any(name in facts.offered for name in wanted),
        "called": lambda wanted, facts: all(name in facts.called for name in wanted),
        "not_called": lambda wanted, facts: not any(name in facts.called for name in wanted),
        "model": lambda wanted, facts: wanted.search(facts.request.model) is not None,
        "user": lambda wanted, facts: wanted.search(facts.user) is not None,
        "text": lambda wanted, facts: wanted.search(facts.text) is not None,
        "results": _check_results,
        "system": lambda wanted, facts: wanted.search(facts.system) is not None,
        "header": _check_header,
    }
)
