"""Secrets in texts: where something looks like one, and the texts without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Secret", "find_secrets", "mask_line", "names_secret", "without_secrets"]

_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Secret:
    """Characters `start` to `end` of a text, which look like `kind`, such as `an API key`."""

    kind: str
    start: int
    end: int


_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "a private key",
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)",
        ),
        ("an Anthropic API key", r"\bsk-ant-[\w-]{6,}"),
        ("an API key", r"\b(?:sk|pk|rk)-(?=[\w-]*\d)[\w-]{12,}"),
        ("a Stripe key", r"\b(?:sk|rk)_(?:live|test)_\w{8,}"),
        ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("a GitHub token", r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
        ("a GitLab token", r"\bglpat-[\w-]{16,}"),
        ("a Slack token", r"\bxox[abeoprs]-[\w-]{10,}"),
        ("a Google API key", r"\bAIza[\w-]{30,}"),
        ("a JSON web token", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
        ("a bearer token", r"(?i)\bbearer\s+(?P<secret>(?=[\w.~+/=-]*\d)[\w.~+/=-]{12,})"),
        ("a password in a URL", r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]*:(?P<secret>[^\s/@{}]+)@"),
        (
            "a password",
            r"(?i)\b(?:passw(?:or)?d|passphrase|api[ _-]?key|client[ _-]?secret|access[ _-]?token)"
            r"\s*(?:is\s*)?[:=]\s*[\"']?(?P<secret>(?=[^\s\"']*\d)[^\s\"'{}<>,;]{6,})",
        ),
    )
)
_SECRET_NAME = re.compile(
    r"(?i)(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))"
    r"(?:password|passwd|passphrase|secret|token|credentials?|authorization|(?:api|access|private|"
    r"secret|auth)[_-]?key)$"
)
_NAMED_VALUE = re.compile(r"(?P<name>[\w-]+)[\"']?\s*:\s+(?P<value>[^\s{\[,}\]#&*][^,}#]*)")
_SMALL_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d+)?")
_ENCODED_LINE = re.compile(r"^\s*(?P<secret>[A-Za-z0-9+/]{60,}={0,2})\s*$")


def find_secrets(text: str) -> Iterator[Secret]:
    """What looks like a secret, in no particular order; of two that overlap only one."""
    found: list[Secret] = []
    for kind, pattern in _KINDS:
        for match in pattern.finditer(text):
            start, end = match.span("secret" if "secret" in pattern.groupindex else 0)
            if not any(start < other.end and other.start < end for other in found):
                found.append(Secret(kind, start, end))
    yield from found


def names_secret(name: str) -> bool:
    """Whether what goes by the name, such as `X-Api-Key` or `clientSecret`, is a secret."""
    return _SECRET_NAME.search(name) is not None


def without_secrets(text: str) -> str:
    """The text with `(hidden)` in the place of whatever looks like a secret."""
    for secret in sorted(find_secrets(text), key=lambda each: each.start, reverse=True):
        text = text[: secret.start] + _HIDDEN + text[secret.end :]
    return text


def mask_line(line: str) -> str:
    """A line of YAML with stars for whatever may be a secret, at the same length.

    Stricter than `find_secrets`: a value under a key that names a secret is hidden as well,
    whatever it looks like; but a small number, such as a limit of tokens, is none.
    """
    spans = [(secret.start, secret.end) for secret in find_secrets(line)]
    for match in _NAMED_VALUE.finditer(line):
        if _SMALL_NUMBER.fullmatch(match["value"].strip()):
            continue
        if names_secret(match["name"]) and "{{" not in match["value"]:
            start, end = match.span("value")
            spans.append((start, start + len(line[start:end].rstrip())))
    if encoded := _ENCODED_LINE.match(line):
        spans.append(encoded.span("secret"))
    for start, end in spans:
        line = line[:start] + "*" * (end - start) + line[end:]
    return line
