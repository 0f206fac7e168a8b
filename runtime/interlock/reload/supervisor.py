"""Which configuration is active, and how it comes to be another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from interlock.config.snapshot import Snapshot
from interlock.config.source import Source, read_tree
from interlock.errors import InterlockError
from interlock.model.settings import Reload
from interlock.reload.activation import Activation, History
from interlock.reload.clients import Clients
from interlock.reload.decider import Decider, SupervisorClosed
from interlock.reload.following import Follower
from interlock.reload.opening import Opened, open_first
from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.ports import Allowed, Observer, SnapshotStore, allow_all
from interlock.reload.reading import Reader
from interlock.reload.request import Request
from interlock.reload.trial import Trial
from interlock.reload.verdict import Verdict
from interlock.reload.watch import Watch

__all__ = ["NoCanary", "Supervisor", "SupervisorClosed"]

_CLOSING_SECONDS = 5.0


class NoCanary(InterlockError):
    """No configuration is being tried."""

    code = "no_canary"


class Supervisor:
    """Holds the active configuration, and replaces it as a whole or not at all.

    Attempts are made one after the other. Whatever goes wrong with one, what was active before
    stays so, and `rejected` says why.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        project: Path,
        environment: Mapping[str, str],
        clients: Clients,
        reader: Reader,
        state_dir: Path | None,
    ) -> None:
        self._decider = Decider(
            opened,
            project=project,
            environment=environment,
            clients=clients,
            state_dir=state_dir,
            decided=self._decided,
        )
        self.generations = self._decider.generations
        """The active generation, one on trial, and those that still have turns."""
        self.standing = self._decider.standing
        """How the active configuration stands to the files."""
        self.watch = Watch(project, resync=lambda: self.rules.resync.total_seconds())
        """Whether changes of the files are being announced."""
        self._untried = opened.offered if opened.untried else None
        self._reader = reader
        self._lock = asyncio.Lock()
        self._waiting: dict[Request, asyncio.Task[ReloadOutcome]] = {}

    @classmethod
    async def start(
        cls,
        project: Path,
        environment: Mapping[str, str],
        *,
        read: Callable[[], Source] | None = None,
        resume: bool = False,
        state_dir: Path | None = None,
    ) -> Self:
        """A supervisor whose active configuration is that of the project's files.

        Args:
            project: the directory with `interlock.yaml`.
            environment: the environment variables that configurations may refer to.
            read: how the files are read; blocks.
            resume: begin with the last good configuration if the files are not valid.
            state_dir: where the last good ones are kept, whatever the configuration says.

        Raises:
            ConfigError: the files are not valid, and nothing was resumed.
        """
        reader, clients = Reader(read or partial(read_tree, project)), Clients()
        opened = await open_first(
            await reader.read(),
            environment,
            clients=clients,
            project=project,
            resume=resume,
            state_dir=state_dir,
        )
        return cls(
            opened,
            project=project,
            environment=environment,
            clients=clients,
            reader=reader,
            state_dir=state_dir,
        )

    async def begin(
        self,
        store: SnapshotStore,
        *,
        history: History | None = None,
        allowed: Allowed = allow_all,
    ) -> None:
        """Keeps the first configuration; from here on it can be replaced.

        `allowed` says what speaks against a valid one as the service runs. Raises `StoreError`.
        """
        await self._decider.begin(store, history=history, allowed=allowed)
        if self._untried is not None:
            async with self._lock:
                await self._decider.attempt(Request("start"), self._untried)

    def observe(self, observer: Observer) -> None:
        """Tells `observer` of every attempt from now on."""
        self._decider.observers.append(observer)

    @property
    def active(self) -> Snapshot:
        """The snapshot that new turns run on."""
        return self._decider.active

    @property
    def activation(self) -> Activation:
        """How the active configuration came to be that."""
        return self._decider.activation

    @property
    def rules(self) -> Reload:
        """The active configuration's own rules for being replaced."""
        return self._decider.rules

    @property
    def restart_needed(self) -> tuple[str, ...]:
        """Settings whose value takes effect when the service is started again."""
        return self._decider.restart_needed

    @property
    def known(self) -> str | None:
        """The fingerprint of the files if they have been decided about for good."""
        return self.standing.known

    @property
    def decisions(self) -> int:
        """How many there were."""
        return self._decider.decisions

    async def follow(self) -> None:
        """Applies what is saved, until it is cancelled."""
        await Follower(self, self.watch).run()

    async def reload(
        self,
        trigger: Trigger,
        *,
        who: str | None = None,
        why: str | None = None,
        if_match: str | None = None,
        allow_removals: bool = False,
        skip_canary: bool = False,
    ) -> ReloadOutcome:
        """Reads the files and makes them the active configuration, if they are valid.

        Whoever asks the same while the answer to another is still waited for shares it, unless
        the files were being read already: they may have changed since.

        Args:
            trigger: where the request comes from.
            who: who asks.
            why: for the history.
            if_match: the digest that must be the active one; otherwise `stale_precondition`.
            allow_removals: also remove many agents at once.
            skip_canary: for all conversations at once, whatever `reload.canary` says.

        Raises:
            SupervisorClosed: the service is stopping.
        """
        request = Request(trigger, who, why, if_match, allow_removals, skip_canary)
        task = self._waiting.get(request)
        if task is None:
            task = self._waiting[request] = asyncio.create_task(self._reload(request))
        # Whoever leaves does not stop what others wait for.
        return await asyncio.shield(task)

    async def activate(
        self,
        source: Source,
        *,
        who: str | None = None,
        why: str | None = None,
        if_match: str | None = None,
    ) -> ReloadOutcome:
        """Makes an earlier configuration the active one, whatever the files are.

        The files are then left alone until they change. Raises `SupervisorClosed`.
        """
        request = Request("rollback", who, why, if_match, allow_removals=True)
        return await asyncio.shield(asyncio.create_task(self._activate(request, source)))

    async def end_canary(
        self, *, promote: bool, who: str | None = None, why: str | None = None
    ) -> ReloadOutcome:
        """Makes the configuration that is being tried the active one, or stops trying it.

        Raises `NoCanary` and `SupervisorClosed`.
        """
        ending = self._end_canary(promote=promote, who=who, why=why)
        return await asyncio.shield(asyncio.create_task(ending))

    async def close(self) -> None:
        """Waits a little for the attempt that is being made, and makes no other."""
        self._decider.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS), self._lock:
                pass

    async def read(self) -> Source:
        """The files as they are now."""
        return await self._reader.read()

    async def offer(self, source: Source, *, decisions: int) -> ReloadOutcome | None:
        """Decides about files that were found, unless a decision was made since."""
        return await asyncio.shield(asyncio.create_task(self._offer(source, decisions)))

    def missed(self) -> None:
        """Hears that a change was found without having been announced."""
        for observer in self._decider.observers:
            observer.missed()

    async def _reload(self, request: Request) -> ReloadOutcome:
        async with self._lock:
            del self._waiting[request]
            return await self._decider.attempt(request, await self._reader.read())

    async def _activate(self, request: Request, source: Source) -> ReloadOutcome:
        async with self._lock:
            present = await self._reader.read()
            outcome = await self._decider.attempt(request, source)
            if outcome.status != "rejected":
                self.standing.pass_over(present, outcome.active)
            return outcome

    async def _offer(self, source: Source, decisions: int) -> ReloadOutcome | None:
        async with self._lock:
            if decisions != self.decisions:
                return None
            return await self._decider.attempt(Request("watch"), source)

    async def _decided(self, trial: Trial, verdict: Verdict) -> None:
        async with self._lock:
            if self._decider.closed or self.generations.trial is not trial:
                return
            if verdict.action == "promote":
                await self._decider.promote(trial, trial.request, verdict.reason)
            else:
                await self._decider.abort(trial, verdict.reason)

    async def _end_canary(
        self, *, promote: bool, who: str | None, why: str | None
    ) -> ReloadOutcome:
        async with self._lock:
            self._decider.require_open()
            trial = self.generations.trial
            if trial is None:
                raise NoCanary("no configuration is being tried; see GET /v1/config")
            reason = f"by {who or 'somebody'}" + (f": {why}" if why else "")
            if promote:
                return await self._decider.promote(trial, trial.request, reason)
            return await self._decider.abort(trial, reason)
