"""What came of an attempt to change the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from interlock.config.diff import Change
from interlock.diagnostics import Diagnostic, render_text

__all__ = ["Finding", "Reason", "Rejection", "ReloadOutcome", "Status", "Trigger", "findings"]

Status = Literal["applied", "canary", "unchanged", "rejected"]
"""`canary`: it is being tried on a share of the new conversations."""

Reason = Literal[
    "parse",
    "invalid",
    "plugin",
    "mass_change",
    "stale_precondition",
    "unreadable",
    "store",
    "canary",
]
"""Why a configuration was not applied. `unreadable` and `store` may pass, and are tried again.
`canary` was tried and did worse."""

Trigger = Literal["start", "resume", "watch", "signal", "api", "rollback"]
"""What an attempt came from."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic, and the text that a terminal shows for it."""

    diagnostic: Diagnostic
    text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A configuration that was offered and not applied; the one before it serves on."""

    digest: str
    at: datetime
    trigger: Trigger
    reason: Reason
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ReloadOutcome:
    """What came of one attempt."""

    status: Status
    digest: str
    """Of the configuration that was offered."""
    active: str
    """Digest of the configuration that new turns run on, now."""
    generation: int
    """Its number."""
    previous: str
    """Digest of the one that new turns ran on before."""
    seconds: float
    """From the first reading to the answer."""
    reason: Reason | None = None
    """For `rejected`."""
    findings: tuple[Finding, ...] = ()
    """For `rejected` all errors; warnings in any case."""
    changes: tuple[Change, ...] = ()
    """For `applied`."""
    restart_needed: tuple[str, ...] = ()
    """Settings whose new value takes effect when the service is started again."""


def findings(found: Iterable[Diagnostic], files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """The diagnostics with their lines of `files`."""
    return tuple(Finding(each, render_text([each], files)) for each in found)
