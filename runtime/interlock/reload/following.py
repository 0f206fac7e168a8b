"""Following the files: looking at them when it is time, and offering what has come to rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.model.settings import Reload
from interlock.reload.outcome import ReloadOutcome
from interlock.reload.settle import MOST_SECONDS, settle
from interlock.reload.standing import PASSING
from interlock.reload.watch import Wake

__all__ = ["Follower", "Offers", "Waker"]

_SHORTEST_RETRY = 1.0
_LONGEST_RETRY = 60.0

_LOG = logging.getLogger(__name__)


class Offers(Protocol):
    """Who decides about what is found."""

    @property
    def known(self) -> str | None:
        """The fingerprint of the files if they have been decided about for good."""
        ...

    @property
    def decisions(self) -> int:
        """How many decisions there were."""
        ...

    @property
    def rules(self) -> Reload:
        """The `reload` section of the active configuration."""
        ...

    async def read(self) -> Source:
        """The files as they are now."""
        ...

    async def offer(self, source: Source, *, decisions: int) -> ReloadOutcome | None:
        """Decides about files, unless something was decided since there were `decisions`."""
        ...

    def missed(self) -> None:
        """Hears that a change was found without having been announced."""
        ...


class Waker(Protocol):
    """Who says when to look; `watch.Watch`."""

    up: bool

    @property
    def stirred(self) -> bool:
        """Whether something was announced since the last wake."""
        ...

    async def next(self) -> Wake:
        """Returns when it is time to look."""
        ...

    async def run(self) -> None:
        """Watches until it is cancelled."""
        ...


class Follower:
    """Looks at the files whenever they may have changed, for as long as `reload.mode` is auto."""

    def __init__(
        self,
        offers: Offers,
        waker: Waker,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._offers = offers
        self._waker = waker
        self._sleep = sleep
        self._clock = clock or asyncio.get_running_loop().time
        self._failed: str | None = None
        """The fingerprint of files that failed for a passing reason."""
        self._delay = 0.0
        self._retry_at = 0.0

    async def run(self) -> None:
        """Follows the files until it is cancelled."""
        watching: asyncio.Task[None] | None = None
        try:
            while True:
                rules = self._offers.rules
                if rules.mode == "manual":
                    await _stop(watching)
                    watching = None
                    await self._sleep(rules.resync.total_seconds())
                    continue
                if watching is None:
                    watching = asyncio.create_task(self._waker.run())
                wake = await self._waker.next()
                try:
                    await self.look(wake)
                except Exception:
                    # The boundary of the follower, which must not die; operators read the log.
                    _LOG.exception("looking for changes of the configuration failed")
                    await self._sleep(_SHORTEST_RETRY)
        finally:
            await _stop(watching)

    async def look(self, wake: Wake) -> None:
        """Reads the files, and offers them if they have changed and come to rest."""
        # Whoever decides in between may know newer files than those that were found here.
        while not await self._look(wake):
            pass

    async def _look(self, wake: Wake) -> bool:
        """Whether nothing is left to be decided."""
        offers = self._offers
        decisions = offers.decisions
        source = await offers.read()
        if not self._is_due(source.fingerprint):
            return True
        quiet = offers.rules.quiet.total_seconds()
        settled = await settle(offers.read, source, quiet=quiet, sleep=self._sleep)
        if settled is None:
            settled = _restless(quiet)
        elif not self._is_due(settled.fingerprint):
            return True
        if wake == "resync" and self._waker.up and not self._waker.stirred:
            offers.missed()
        outcome = await offers.offer(settled, decisions=decisions)
        if outcome is None:
            return False
        self._remember(settled.fingerprint, outcome)
        return True

    def _is_due(self, fingerprint: str) -> bool:
        if fingerprint == self._offers.known:
            return False
        return fingerprint != self._failed or self._clock() >= self._retry_at

    def _remember(self, fingerprint: str, outcome: ReloadOutcome) -> None:
        if outcome.reason not in PASSING:
            self._failed, self._delay = None, 0.0
            return
        again = fingerprint == self._failed
        self._delay = min(2 * self._delay, _LONGEST_RETRY) if again else _SHORTEST_RETRY
        self._failed = fingerprint
        self._retry_at = self._clock() + self._delay


def _restless(quiet: float) -> Source:
    seconds = f"{MOST_SECONDS:g} s"
    reason = f"something has been changing for {seconds}; {quiet:g} s of rest are needed"
    return Source({}, (unreadable("./", reason),))


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
