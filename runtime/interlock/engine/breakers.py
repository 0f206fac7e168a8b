"""The breakers of one process: in memory for every turn, in the store for later.

They are no part of a generation: a reload changes what they go by, not what they have seen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

from interlock.breakers.admission import AdmissionShare, is_admitted
from interlock.breakers.breaker import Breaker
from interlock.breakers.caps import CapBreakers, CapChange
from interlock.breakers.cost_spike import CostSpike
from interlock.breakers.escalation_rate import EscalationRate
from interlock.breakers.spend import CAPS, Cap, CapReached, Hold, is_of_customer
from interlock.breakers.status import Change, Status
from interlock.config.snapshot import Snapshot
from interlock.engine.breaker_names import (
    COST_SPIKE,
    ESCALATION_RATE,
    cap_name,
    cap_of,
    provider_name,
    require_breaker,
    tool_name,
    yaml_key,
)
from interlock.engine.breaker_notice import Notice, Paused
from interlock.engine.breaker_policies import cost_policy, escalation_policy, spend_caps
from interlock.engine.call_breakers import CallBreakers
from interlock.engine.earlier_costs import count_earlier_costs
from interlock.model.base import JsonObject
from interlock.store.store import Store

__all__ = ["Breakers", "Operation"]

Operation = Literal["trip", "reset", "disable", "enable"]
"""What an operator can do with a breaker."""

_DEFAULT_WAIT = 60.0
"""Seconds after which to ask again where nobody knows better."""

_LOG = logging.getLogger(__name__)


class Breakers:
    """All breakers beyond one conversation. Turns ask before everything that they do.

    `config` gives the active configuration, `clock` the seconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        config: Callable[[], Snapshot],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._adopted: Snapshot | None = None
        self._names: dict[str, None] = {}  # in order, and quickly found
        self._forgiven: dict[Cap, float] = {}
        self._listeners: list[Callable[[Notice], None]] = []
        self._loaded = False
        self._lock = asyncio.Lock()
        declared = config().settings.breakers
        self._caps = CapBreakers()
        self._cost = CostSpike(cost_policy(declared.cost_spike))
        self._escalations = EscalationRate(escalation_policy(declared.escalation_rate))
        self._calls = CallBreakers(clock=clock, tell=self._tell)

    @property
    def calls(self) -> CallBreakers:
        """Those of tools and model servers."""
        self._now()
        return self._calls

    @property
    def now(self) -> float:
        """The time that breakers go by, in seconds since the epoch."""
        return self._clock()

    @property
    def admitted_share(self) -> float:
        """The share of new conversations that is admitted, from 0 to 1."""
        if self._cost.status.state != "closed":
            return 0.0
        return self._escalations.admission.share

    def observe(self, listener: Callable[[Notice], None]) -> None:
        """From now on `listener` hears of every change; it must neither wait nor raise."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Reads from the store what is known; nothing happens the second time.

        Raises `StoreError`.
        """
        if self._loaded:
            return
        async with self._lock:
            if not self._loaded:
                await self._load()
                self._loaded = True

    def admit(self, conversation_id: str, customer: str | None, *, new: bool) -> None:
        """Raises `Paused` if a turn must not begin now; `new` is a conversation's first one."""
        self.refresh()
        now = self._now()
        reached, changes = self._caps.admit(now, customer)
        self._tell_caps(changes)
        if reached is not None:
            held = self._caps.status(reached.cap).held
            raise _paused(
                cap_name(reached.cap),
                conversation_id,
                None if held else reached.free_at - now,
                of_customer=is_of_customer(reached.cap) and not held,
            )
        if not new:
            return
        if self._cost.status.state != "closed":
            raise _paused(COST_SPIKE, conversation_id, None)
        if not is_admitted(conversation_id, self._escalations.admission.share):
            until = self._escalations.status.until
            raise _paused(ESCALATION_RATE, conversation_id, None if until is None else until - now)

    def ended(self, conversation_id: str, *, escalated: bool) -> None:
        """Counts a turn that has ended."""
        change = self._escalations.record(conversation_id, self._now(), escalated=escalated)
        self._tell(ESCALATION_RATE, change)

    def hold(self, customer: str | None, nano: int) -> Hold | CapReached:
        """Holds what a model call may cost. Whoever is given a `Hold` must settle it."""
        held, changes = self._caps.hold(self._now(), customer, nano)
        self._tell_caps(changes)
        return held

    def settle(self, hold: Hold, nano: int) -> None:
        """Replaces what was held by what the call cost."""
        now = self._now()
        self._caps.spend.settle(now, hold, nano)
        self._cost.add(now, nano)
        self._tell(COST_SPIKE, self._cost.refresh(now))

    def refresh(self) -> None:
        """Lets time pass for those that recover by themselves."""
        now = self._now()
        self._tell(COST_SPIKE, self._cost.refresh(now))
        self._tell(ESCALATION_RATE, self._escalations.refresh(now))
        self._tell_caps(self._caps.refresh(now))

    def names(self) -> tuple[str, ...]:
        """All breakers that the active configuration has."""
        self._now()
        return tuple(self._names)

    def status(self, name: str) -> Status:
        """The status of a breaker. Raises `UnknownBreaker`."""
        self._require(name)
        cap = cap_of(name)
        return self._machine(name).status if cap is None else self._caps.status(cap)

    def counts(self, name: str) -> JsonObject:
        """What a breaker judges by at this moment. Raises `UnknownBreaker`."""
        now, cap = self._require(name), cap_of(name)
        if cap is not None:
            most = self._caps.spend.caps[cap]
            if is_of_customer(cap):
                return {"pausedCustomers": self._caps.paused(cap), "capNano": most}
            return {"usedNano": self._caps.spend.used(now, cap), "capNano": most}
        machine = self._machine(name)
        if isinstance(machine, CostSpike):
            spike = machine.spike(now)
            return {"hourNano": spike.hour, "usualHourNano": spike.baseline}
        if isinstance(machine, EscalationRate):
            seen, escalated = machine.rate(now)
            share = machine.admission.share
            return {"conversations": seen, "escalated": escalated, "admittedShare": share}
        outcomes = machine.outcomes(now)
        return {"calls": outcomes.calls, "failures": outcomes.failures}

    async def operate(
        self, operation: Operation, name: str, *, who: str | None, why: str
    ) -> Status:
        """Does what an operator says, at once.

        Raises `UnknownBreaker`, and `StoreError` if it cannot be kept; it is done all the same,
        until this process ends.
        """
        await self.load()
        now, cap = self._require(name), cap_of(name)
        if cap is None:
            machine = self._machine(name)
            change = {
                "trip": machine.trip,
                "reset": machine.reset,
                "disable": machine.disable,
                "enable": machine.enable,
            }[operation](now, who=who, why=why)
        else:
            caps = self._caps
            change = {
                "trip": caps.trip,
                "reset": caps.reset,
                "disable": caps.disable,
                "enable": caps.enable,
            }[operation](cap, now, who=who, why=why)
            if operation == "reset":
                self._forgiven[cap] = now
        _LOG.info("breaker %s: %s by %s: %s", name, operation, who or "somebody", why)
        self._announce(name, change)
        await self._store.keep_breaker(name, self._to_keep(name))
        return self.status(name)

    def _machine(self, name: str) -> Breaker | CostSpike | EscalationRate:
        if name == COST_SPIKE:
            return self._cost
        if name == ESCALATION_RATE:
            return self._escalations
        breaker = self._calls.find(name)
        assert breaker is not None  # its name is among those that are known
        return breaker

    def _now(self) -> float:
        snapshot = self._config()
        if snapshot is not self._adopted:
            self._adopted = snapshot
            declared = snapshot.settings.breakers
            self._caps.adopt(spend_caps(snapshot.settings.spend))
            self._cost.policy = cost_policy(declared.cost_spike)
            self._escalations.policy = escalation_policy(declared.escalation_rate)
            self._calls.adopt(snapshot)
            self._names = dict.fromkeys(_names_of(snapshot))
        return self._clock()

    def _require(self, name: str) -> float:
        """The time, if there is such a breaker. Raises `UnknownBreaker`."""
        now = self._now()
        require_breaker(name, self._names)
        return now

    async def _load(self) -> None:
        kept = await self._store.breakers()
        self._calls.restore(kept)
        if COST_SPIKE in kept:
            self._cost.status = Status.from_json(kept[COST_SPIKE])
        if ESCALATION_RATE in kept:
            status = kept[ESCALATION_RATE]
            self._escalations.status = Status.from_json(status)
            share = AdmissionShare(status["share"], status["shareChangedAt"])
            self._escalations.admission = share
        for cap in CAPS:
            known = kept.get(cap_name(cap))
            if known is not None:
                self._caps.restore(cap, Status.from_json(known), known["needed"])
                if known["forgivenAt"] is not None:
                    self._forgiven[cap] = known["forgivenAt"]
        await count_earlier_costs(
            self._store, self._cost, self._caps.spend, now=self._clock(), forgiven=self._forgiven
        )

    def _to_keep(self, name: str) -> JsonObject:
        """What a breaker has to know after a restart."""
        cap = cap_of(name)
        if cap is not None:
            status = self._caps.status(cap).to_json()
            needed = self._caps.needed(cap)
            return {**status, "needed": needed, "forgivenAt": self._forgiven.get(cap)}
        machine = self._machine(name)
        status = machine.status.to_json()
        if isinstance(machine, EscalationRate):
            share = machine.admission
            return {**status, "share": share.share, "shareChangedAt": share.changed_at}
        return status

    def _tell_caps(self, changes: Iterable[CapChange]) -> None:
        for each in changes:
            self._tell(cap_name(each.cap), each.change)

    def _tell(self, name: str, change: Change | None) -> None:
        """Keeps and announces a change that a breaker has made by itself."""
        if change is not None:
            self._store.record_breaker(name, self._to_keep(name))
            self._announce(name, change)

    def _announce(self, name: str, change: Change) -> None:
        self._calls.wake(name)
        at, cap = datetime.fromtimestamp(self._clock(), UTC), cap_of(name)
        status = self._machine(name).status if cap is None else self._caps.status(cap)
        notice = Notice(name, yaml_key(name), change.state, change.why, status.who, at)
        for listener in self._listeners:
            listener(notice)


def _names_of(snapshot: Snapshot) -> Iterator[str]:
    yield ESCALATION_RATE
    yield COST_SPIKE
    yield from (cap_name(cap) for cap in spend_caps(snapshot.settings.spend))
    yield from (provider_name(name) for name in snapshot.settings.providers)
    for tool in snapshot.tools.values():
        if tool.category != "escalation":
            yield tool_name(tool.name)


def _paused(
    name: str, conversation_id: str, wait: float | None, *, of_customer: bool = False
) -> Paused:
    _LOG.warning(
        "a message of %s is not taken: the breaker %s is open, which goes by %s",
        conversation_id,
        name,
        yaml_key(name),
    )
    retry_after = _DEFAULT_WAIT if wait is None or wait <= 0 else wait
    return Paused(name, retry_after=retry_after, of_customer=of_customer)
