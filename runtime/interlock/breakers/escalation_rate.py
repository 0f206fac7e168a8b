"""Too many conversations end with a person: fewer are admitted until it is better."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from interlock.breakers.admission import AdmissionShare
from interlock.breakers.status import Change, Status

__all__ = ["EscalationPolicy", "EscalationRate"]

_MOST_CONVERSATIONS = 100_000


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """When it trips and how it recovers; times in seconds."""

    above: float
    recover_below: float
    min_conversations: int
    window: float
    floor: float
    recover_step: float
    recover_every: float


class EscalationRate:
    """Halves admission when more than a share of the window's conversations was escalated.

    Each trip starts a new sample, so that the next verdict is about what came after it. The share
    recovers step by step while the rate is not above `recover_below`, or too few conversations
    are there to tell; between the two rates nothing changes.
    """

    def __init__(
        self,
        policy: EscalationPolicy,
        status: Status | None = None,
        share: AdmissionShare | None = None,
    ) -> None:
        self.policy = policy
        self.status = Status() if status is None else status
        self.admission = AdmissionShare() if share is None else share
        self._seen: OrderedDict[str, tuple[float, bool]] = OrderedDict()  # last turn, escalated
        self._escalated = 0

    def rate(self, now: float) -> tuple[int, int]:
        """Conversations with a turn that ended in the window, and how many were escalated."""
        oldest = now - self.policy.window
        while self._seen:
            conversation, (last, _) = next(iter(self._seen.items()))
            if last > oldest and len(self._seen) <= _MOST_CONVERSATIONS:
                break
            self._forget(conversation)
        return len(self._seen), self._escalated

    def record(self, conversation_id: str, now: float, *, escalated: bool) -> Change | None:
        """Counts a turn that has ended."""
        before = self._forget(conversation_id)
        escalated = escalated or before
        self._seen[conversation_id] = (now, escalated)
        self._escalated += escalated
        return self._judge(now) if escalated else None

    def refresh(self, now: float) -> Change | None:
        """Lets it recover by the time that has passed."""
        status, policy = self.status, self.policy
        if status.state == "closed" or status.held or status.disabled:
            return None
        seen, escalated = self.rate(now)
        judged = seen >= policy.min_conversations
        if judged and escalated / seen > policy.recover_below:
            self.admission.changed_at = now
            return None
        self.admission.recover(now, step=policy.recover_step, every=policy.recover_every)
        if self.admission.share < 1.0:
            status.state = "half_open" if self.admission.share > 0.5 else "open"
            status.until = self.admission.changed_at + policy.recover_every
            return None
        return status.move("closed", now, "all new conversations are admitted again")

    def trip(self, now: float, *, who: str | None, why: str) -> Change:
        """Halves admission until somebody resets it."""
        self._halve(now)
        return self.status.trip(now, who=who, why=why)

    def reset(self, now: float, *, who: str | None, why: str) -> Change:
        """Admits all, and starts a new sample."""
        self._restart()
        self.admission.restore(now)
        return self.status.reset(now, who=who, why=why)

    def disable(self, now: float, *, who: str | None, why: str) -> Change:
        """Admits all, whatever happens."""
        self.admission.restore(now)
        return self.status.disable(now, who=who, why=why)

    def enable(self, now: float, *, who: str | None, why: str) -> Change:
        """Judges again, by what happens from now on."""
        self._restart()
        return self.status.enable(now, who=who, why=why)

    def _judge(self, now: float) -> Change | None:
        policy, status = self.policy, self.status
        if status.disabled or status.held:
            return None
        seen, escalated = self.rate(now)
        if seen < policy.min_conversations or escalated / seen <= policy.above:
            return None
        self._restart()
        self._halve(now)
        status.opens += 1
        why = (
            f"{escalated} of {seen} conversations were escalated; "
            f"{self.admission.share:.0%} of new ones are admitted"
        )
        return status.move("open", now, why, until=now + policy.recover_every)

    def _halve(self, now: float) -> None:
        self.admission.halve(now, floor=self.policy.floor)

    def _restart(self) -> None:
        self._seen.clear()
        self._escalated = 0

    def _forget(self, conversation_id: str) -> bool:
        _, escalated = self._seen.pop(conversation_id, (0.0, False))
        self._escalated -= escalated
        return escalated
