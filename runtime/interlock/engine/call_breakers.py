"""The breakers of tools and model servers, by name, each made when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from interlock.breakers.breaker import Admission, Breaker
from interlock.breakers.status import Change, Status
from interlock.config.snapshot import Snapshot
from interlock.engine.breaker_names import provider_name, tool_name
from interlock.engine.breaker_policies import call_policy
from interlock.model.base import JsonObject

__all__ = ["CallBreakers"]


class CallBreakers:
    """Asked before and told after every call of a tool or of a model server.

    `tell` is called with every change that a breaker makes by itself.
    """

    def __init__(
        self, *, clock: Callable[[], float], tell: Callable[[str, Change | None], None]
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._kept: Mapping[str, JsonObject] = {}
        self._snapshot: Snapshot | None = None
        self._breakers: dict[str, Breaker] = {}
        self._changed: dict[str, asyncio.Event] = {}

    def restore(self, kept: Mapping[str, JsonObject]) -> None:
        """Takes over the statuses that an earlier process has kept, by name."""
        self._kept = kept

    def adopt(self, snapshot: Snapshot) -> None:
        """Goes by another configuration from now on; what is declared no more stays as it is."""
        self._snapshot = snapshot
        for name, breaker in self._breakers.items():
            made = self._make(name)
            if made is not None:
                breaker.adopt(made.policy)

    def find(self, name: str) -> Breaker | None:
        """A breaker; None if there is nothing of that name, as for what was removed."""
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = self._make(name)
            if breaker is not None:
                self._breakers[name] = breaker
        return breaker

    def admit(self, name: str) -> Admission:
        """Whether a call may be made. One that may must be told of by `record` or `abandon`."""
        breaker = self.find(name)
        if breaker is None:
            return Admission(True)
        admission = breaker.admit(self._clock())
        self._tell(name, admission.change)
        return admission

    def record(
        self, name: str, admission: Admission, *, ok: bool, wait: float | None = None
    ) -> Change | None:
        """Counts a call that was allowed; the change that it brings about, if it does."""
        breaker = self.find(name)
        if breaker is None:
            return None
        change = breaker.record(admission, self._clock(), ok=ok, wait=wait)
        self._tell(name, change)
        if admission.probe:
            self.wake(name)
        return change

    def abandon(self, name: str, admission: Admission) -> None:
        """Takes back a call of which nothing can be learnt."""
        breaker = self._breakers.get(name)
        if breaker is not None and admission.probe:
            breaker.abandon(admission)
            self.wake(name)

    async def wait(self, name: str, seconds: float) -> None:
        """Returns when a breaker may have changed, or after this time."""
        event = self._changed.setdefault(name, asyncio.Event())
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()
        except TimeoutError:
            return

    def wake(self, name: str) -> None:
        """Lets those who wait look again."""
        event = self._changed.pop(name, None)
        if event is not None:
            event.set()

    def _make(self, name: str) -> Breaker | None:
        snapshot = self._snapshot
        _, _, declared = name.partition(".")
        if snapshot is None:
            return None
        if name == tool_name(declared) and declared in snapshot.tools:
            policy = call_policy(snapshot.tools[declared].breaker)
        elif name == provider_name(declared) and declared in snapshot.settings.providers:
            policy = call_policy(snapshot.settings.breakers.provider)
        else:
            return None
        kept = self._kept.get(name)
        return Breaker(policy, None if kept is None else Status.from_json(kept))
