"""What each role may do: the one table of routes and the least role that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from interlock.model.identity import Role

__all__ = ["ROLES", "RULES", "Rule", "Who", "allows", "find_rule", "needed_role"]

Who = Role | Literal["anyone"]
"""Who may use a route; `anyone` needs no key."""

ROLES: Sequence[Role] = ("chat", "operator", "admin")
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The least role for the requests of some methods to some paths."""

    methods: frozenset[str]
    """Empty for all."""
    path: str
    """A template: `{name}` is any one segment, `/**` at the end is this path and all below it."""
    who: Who


def _rule(methods: str, path: str, who: Who) -> Rule:
    return Rule(frozenset() if methods == "*" else frozenset(methods.split()), path, who)


# The first rule that fits decides. What no rule fits needs an admin, so that a route which
# somebody forgets here is closed rather than open.
RULES: Sequence[Rule] = (
    _rule("GET", "/v1/health/live", "anyone"),
    _rule("GET", "/v1/health/ready", "anyone"),
    _rule("GET", "/openapi.json", "anyone"),
    # For the front ends of customers. Whose conversations they reach is up to `ownership`.
    _rule("GET", "/v1/agents", "chat"),
    _rule("GET POST", "/v1/conversations", "chat"),
    _rule("GET", "/v1/conversations/{id}", "chat"),
    _rule("GET", "/v1/conversations/{id}/events", "chat"),
    _rule("GET POST", "/v1/conversations/{id}/messages", "chat"),
    _rule("GET", "/v1/turns/{id}", "chat"),
    _rule("GET POST PUT", "/v1/turns/{id}/feedback", "chat"),
    # For people who look after the service: all that is read, and all that is steered.
    _rule("GET", "/metrics", "operator"),
    _rule("GET", "/v1/health", "operator"),
    _rule("GET", "/v1/conversations/**", "operator"),
    _rule("GET", "/v1/turns/**", "operator"),
    _rule("GET", "/v1/config/**", "operator"),
    _rule("GET", "/v1/feedback/**", "operator"),
    _rule("GET", "/v1/plugins/**", "operator"),
    _rule("GET", "/v1/reports/**", "operator"),
    _rule("*", "/v1/approvals/**", "operator"),
    _rule("*", "/v1/breakers/**", "operator"),
    _rule("*", "/v1/escalations/**", "operator"),
    _rule("*", "/v1/switches/**", "operator"),
    # What changes how all of it behaves, and who may.
    _rule("*", "/v1/config/**", "admin"),
    _rule("*", "/v1/keys/**", "admin"),
)


def needed_role(method: str, path: str) -> Who:
    """The least role for a request; `admin` for whatever the table does not know."""
    rule = find_rule(method, path)
    return "admin" if rule is None else rule.who


def find_rule(method: str, path: str) -> Rule | None:
    """The rule for a request, or for a route by its template."""
    # What answers GET may also answer HEAD.
    asked = "GET" if method == "HEAD" else method
    for rule in RULES:
        if (not rule.methods or asked in rule.methods) and _fits(rule.path, path):
            return rule
    return None


def allows(role: Role, who: Who) -> bool:
    """Whether a key with `role` may use what needs `who`."""
    return who == "anyone" or ROLES.index(role) >= ROLES.index(who)


def _fits(template: str, path: str) -> bool:
    parts, segments = template.split("/"), path.split("/")
    if parts[-1] == "**":
        parts.pop()
        segments = segments[: len(parts)]
    return len(parts) == len(segments) and all(
        bool(segment) if part.startswith("{") else part == segment
        for part, segment in zip(parts, segments, strict=True)
    )
