"""The active generation, one that is tried beside it, and those that still have turns running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from interlock.model.turn import TurnResult
from interlock.reload.generation import Generation
from interlock.reload.held import PINNED, Held
from interlock.reload.trial import Trial
from interlock.store.records import Conversation

__all__ = ["Generations"]


class Generations:
    """Holds generations for as long as a turn needs them. One of them is active."""

    def __init__(self, first: Generation) -> None:
        self._active = Held(1, first)
        self._last = 1
        self._trial: Trial | None = None
        self._draining: list[Held] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> Held:
        """The generation that new turns run on."""
        return self._active

    @property
    def trial(self) -> Trial | None:
        """The canary: another generation, on which some new conversations run."""
        return self._trial

    @property
    def draining(self) -> tuple[Held, ...]:
        """Those that were replaced and still have turns running, oldest first."""
        return tuple(self._draining)

    @asynccontextmanager
    async def pin(self, conversation: Conversation) -> AsyncIterator[Held]:
        """A generation for one turn, which stays as it is until the turn ends.

        To be entered in the turn's own task. If the generation is replaced and the turn outlasts
        the drain, the task is cancelled, and `expired` says why.
        """
        held, turn = self._choose(conversation), asyncio.current_task()
        assert turn is not None
        held.pinned.add(turn)
        token = PINNED.set(held.number)
        try:
            yield held
        finally:
            PINNED.reset(token)
            held.pinned.discard(turn)
            if held in self._draining and not held.turns:
                self._release(held)

    def ended(self, held: Held, conversation: Conversation, result: TurnResult) -> None:
        """Hears how a turn on `held` ended, for the comparison of a canary."""
        if self._trial is not None:
            self._trial.count(held, conversation, result)

    def replace(self, generation: Generation, *, drain_seconds: float) -> Held:
        """Makes another generation the active one.

        The one before it is closed when its last turn ends; its turns are cancelled after
        `drain_seconds`. A canary must have been ended.
        """
        return self._activate(self._hold(generation), drain_seconds)

    def begin_trial(self, generation: Generation, make: Callable[[Held], Trial]) -> Trial:
        """Lets some new conversations run on another generation. There must be no other trial."""
        assert self._trial is None
        self._trial = make(self._hold(generation))
        return self._trial

    def end_trial(self, *, promote: bool, drain_seconds: float) -> Held:
        """Makes the canary the active generation, or lets its turns end. The one that is active."""
        trial, self._trial = self._trial, None
        assert trial is not None
        if promote:
            trial.held.since = datetime.now(UTC)
            return self._activate(trial.held, drain_seconds)
        self._retire(trial.held, drain_seconds)
        return self._active

    async def close(self) -> None:
        """Closes all of them; no turn may be running."""
        tried = () if self._trial is None else (self._trial.held,)
        for held in (*self._draining, *tried, self._active):
            await held.close()
        self._draining.clear()
        self._trial = None
        await asyncio.gather(*self._closing)

    def _hold(self, generation: Generation) -> Held:
        self._last += 1
        return Held(self._last, generation)

    def _choose(self, conversation: Conversation) -> Held:
        """The generation for a turn that begins now."""
        if self._trial is not None and self._trial.takes(conversation):
            return self._trial.held
        return self._active

    def _activate(self, held: Held, drain_seconds: float) -> Held:
        before, self._active = self._active, held
        self._retire(before, drain_seconds)
        return held

    def _retire(self, held: Held, drain_seconds: float) -> None:
        held.retire(drain_seconds)
        self._draining.append(held)
        if not held.turns:
            self._release(held)

    def _release(self, held: Held) -> None:
        self._draining.remove(held)
        closing = asyncio.create_task(held.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
