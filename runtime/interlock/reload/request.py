"""What somebody asks of the supervisor, and the attempt that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location
from interlock.reload.candidate import Refused
from interlock.reload.guard import refuse_removals
from interlock.reload.held import Held
from interlock.reload.outcome import (
    Finding,
    Reason,
    Rejection,
    ReloadOutcome,
    Status,
    Trigger,
    findings,
)

__all__ = ["Attempt", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for another configuration. Equal ones that wait are the same one."""

    trigger: Trigger
    who: str | None = None
    why: str | None = None
    if_match: str | None = None
    """The digest that must be the active one."""
    allow_removals: bool = False
    skip_canary: bool = False

    @property
    def is_about_files(self) -> bool:
        """Whether what the files hold is wanted, and not an earlier configuration."""
        return self.trigger != "rollback"

    @property
    def is_tried(self) -> bool:
        """Whether the rules for a canary hold. Who goes back wants to be back at once."""
        return self.is_about_files and not self.skip_canary

    def require_match(self, active: str) -> None:
        """Raises `Refused` if the request was made with another active configuration in mind."""
        if self.if_match in (None, active):
            return
        message = f"the active configuration is {active}, not {self.if_match}"
        hint = "look at what it is now, and ask again with its digest"
        found = Diagnostic("ILK-R006", message, Location("./"), hint)
        raise Refused("stale_precondition", [found])

    def refuse_removals(self, before: Snapshot, after: Snapshot) -> Diagnostic | None:
        """A finding if the change removes more agents than the rules of `before` let it."""
        if self.allow_removals:
            return None
        most = before.settings.reload.max_removed
        return refuse_removals(before.agents, after.agents, most=most)


class Attempt:
    """One request with the files that it is about, under way."""

    def __init__(self, request: Request, source: Source) -> None:
        self.request = request
        self.source = source
        self._started = perf_counter()

    def end(
        self,
        status: Status,
        active: Held,
        *,
        previous: str | None = None,
        refused: Refused | None = None,
    ) -> ReloadOutcome:
        """What came of it. `previous` is what was active before, if that is another one."""
        return ReloadOutcome(
            status=status,
            digest=self.source.digest,
            active=active.digest,
            generation=active.number,
            previous=previous or active.digest,
            seconds=perf_counter() - self._started,
            reason=None if refused is None else refused.reason,
            findings=() if refused is None else findings(refused.found, self.source.files),
        )

    def rejection(self, reason: Reason, told: tuple[Finding, ...]) -> Rejection:
        """The record of a refusal."""
        return Rejection(
            digest=self.source.digest,
            at=datetime.now(UTC),
            trigger=self.request.trigger,
            reason=reason,
            findings=told,
        )
