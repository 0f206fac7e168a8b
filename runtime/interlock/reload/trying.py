"""Trying a configuration on some conversations: its beginning, its verdict, its record."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from interlock.config.source import Source
from interlock.model.canary import Canary
from interlock.reload.aside import run_aside
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.held import Held
from interlock.reload.request import Request
from interlock.reload.trial import Trial
from interlock.reload.trial_record import TrialRecord, TrialRecords
from interlock.reload.verdict import Verdict

__all__ = ["Trying"]

_LOG = logging.getLogger(__name__)

Decided = Callable[[Trial, Verdict], Awaitable[None]]
"""Called when a trial has its verdict, and nobody has ended it by then."""


class Trying:
    """At most one trial at a time, which ends by its verdict or because somebody ends it."""

    def __init__(self, generations: Generations, decided: Decided) -> None:
        self._generations = generations
        self._decided = decided
        self._judging: asyncio.Task[None] | None = None

    def begin(
        self, generation: Generation, *, request: Request, source: Source, rules: Canary
    ) -> Trial:
        """Lets some new conversations run on the generation."""
        make = partial(Trial, request=request, source=source, rules=rules)
        trial = self._generations.begin_trial(generation, make)
        self._judging = asyncio.create_task(self._judge(trial))
        return trial

    def end(self, *, promote: bool, drain_seconds: float) -> Held:
        """Ends the trial that there is. The generation that is active then."""
        self.stop()
        return self._generations.end_trial(promote=promote, drain_seconds=drain_seconds)

    def stop(self) -> None:
        """Gives no verdict any more."""
        if self._judging is not None and self._judging is not asyncio.current_task():
            self._judging.cancel()
        self._judging = None

    async def _judge(self, trial: Trial) -> None:
        verdict = await trial.decided()
        try:
            await self._decided(trial, verdict)
        except Exception:
            # The boundary of a task that nobody waits for; operators read the log.
            _LOG.exception("the canary could not be ended")


async def keep_record(record: TrialRecord | None, *, folder: Path) -> None:
    """Writes what is known of the latest canary to disk. Never raises."""
    records = TrialRecords(folder)
    doing = records.forget if record is None else partial(records.write, record)
    try:
        await run_aside(doing, name="canary")
    except OSError as error:
        _LOG.error("a restart would not know of the canary: %s", error)
