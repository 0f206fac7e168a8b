"""The breaker of a tool or of a provider: closed, open, or half open to see whether it works."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.breakers.status import Change, Status
from interlock.breakers.window import Outcomes, OutcomeWindow

__all__ = ["Admission", "Breaker", "Policy"]

_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class Policy:
    """When a breaker opens and for how long; times in seconds."""

    error_rate: float
    min_calls: int
    window: float
    open_for: float
    max_open_for: float
    probes: int


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may be made. One that may must be told of by `record` or `abandon`."""

    allowed: bool
    probe: bool = False
    """Whether the call decides what becomes of the breaker."""
    retry_at: float | None = None
    """For a call that may not be made: when to ask again; None if nobody knows."""
    change: Change | None = None


class Breaker:
    """Stops calls of something that mostly fails.

    It opens when, of at least `min_calls` in the window, the share `error_rate` failed. After
    `open_for` it lets `probes` calls pass: if all succeed it closes, with an empty window, and if
    one fails it opens for twice as long as before, up to `max_open_for`. The next time is short
    again only after it has been closed for a whole window without opening.
    """

    def __init__(self, policy: Policy, status: Status | None = None) -> None:
        self.status = Status() if status is None else status
        self._policy = policy
        self._window = OutcomeWindow(policy.window)
        self._probing = 0
        self._proven = 0
        if self.status.state == "half_open":
            # The process that was probing is no more.
            self.status.state = "open"

    @property
    def policy(self) -> Policy:
        """When it opens and for how long."""
        return self._policy

    def adopt(self, policy: Policy) -> None:
        """Goes by another policy from now on; another window starts out empty."""
        if policy.window != self._policy.window:
            self._window = OutcomeWindow(policy.window)
        self._policy = policy

    def outcomes(self, now: float) -> Outcomes:
        """What it judges by."""
        return self._window.outcomes(now)

    def admit(self, now: float) -> Admission:
        """Whether a call may be made now."""
        status = self.status
        if status.state == "closed":
            return Admission(True)
        if status.state == "open":
            if status.held or (status.until is not None and now < status.until):
                return Admission(False, retry_at=status.until)
            self._probing = self._proven = 0
            why = "its time is over: it is probed"
            return self._probe(now, status.move("half_open", now, why))
        if self._probing + self._proven < self._policy.probes:
            return self._probe(now, None)
        return Admission(False)

    def record(
        self, admission: Admission, now: float, *, ok: bool, wait: float | None = None
    ) -> Change | None:
        """Counts a call that was allowed; the change that it brings about, if it does.

        `wait` is for how many seconds the other side asks to be left alone: the breaker opens at
        once for that time, up to `max_open_for`.
        """
        if admission.probe:
            self._probing = max(0, self._probing - 1)
        if self.status.disabled or self.status.held:
            return None
        if not admission.probe:
            self._window.add(now, ok=ok)
        if wait is not None and not ok:
            return self._cool_down(now, min(wait, self._policy.max_open_for))
        if self.status.state == "half_open":
            return self._judge_probe(now, ok=ok) if admission.probe else None
        if self.status.state == "closed" and not ok:
            return self._judge(now)
        return None

    def abandon(self, admission: Admission) -> None:
        """Takes back a call of which nothing can be learnt."""
        if admission.probe:
            self._probing = max(0, self._probing - 1)

    def trip(self, now: float, *, who: str | None, why: str) -> Change:
        """Opens it until somebody resets it."""
        return self.status.trip(now, who=who, why=why)

    def reset(self, now: float, *, who: str | None, why: str) -> Change:
        """Closes it, and forgets what it judged by."""
        self._window = OutcomeWindow(self._policy.window)
        return self.status.reset(now, who=who, why=why)

    def disable(self, now: float, *, who: str | None, why: str) -> Change:
        """Closes it, and keeps it from opening."""
        return self.status.disable(now, who=who, why=why)

    def enable(self, now: float, *, who: str | None, why: str) -> Change:
        """Lets it open again, by what happens from now on."""
        self._window = OutcomeWindow(self._policy.window)
        return self.status.enable(now, who=who, why=why)

    def _probe(self, now: float, change: Change | None) -> Admission:
        self._probing += 1
        return Admission(True, probe=True, change=change)

    def _judge(self, now: float) -> Change | None:
        policy, seen = self._policy, self._window.outcomes(now)
        if seen.calls < policy.min_calls or seen.error_rate < policy.error_rate:
            return None
        return self._open(now, f"{seen.failures} of {seen.calls} calls failed")

    def _judge_probe(self, now: float, *, ok: bool) -> Change | None:
        if not ok:
            return self._open(now, "it still failed when it was probed")
        self._proven += 1
        if self._proven < self._policy.probes:
            return None
        self._window = OutcomeWindow(self._policy.window)
        return self.status.move("closed", now, "it worked when it was probed")

    def _open(self, now: float, why: str) -> Change:
        status, policy = self.status, self._policy
        closed_for = now - status.since if status.state == "closed" and status.since else 0.0
        if closed_for >= policy.window:
            status.opens = 0
        # Capped before it is raised: a float would overflow after a thousand times.
        length = min(policy.open_for * _GROWTH ** min(status.opens, 32), policy.max_open_for)
        status.opens += 1
        return status.move("open", now, why, until=now + length)

    def _cool_down(self, now: float, seconds: float) -> Change | None:
        status, until = self.status, now + seconds
        if status.state == "open":
            status.until = max(status.until or 0.0, until)
            return None
        return status.move("open", now, f"it asks to wait {seconds:.0f} s", until=until)
