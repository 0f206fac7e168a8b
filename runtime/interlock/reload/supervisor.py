"""Which configuration is active, and how it comes to be another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from interlock.config.snapshot import Snapshot
from interlock.config.source import Source, read_tree
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import InterlockError, StoreError
from interlock.memo import forget_unused
from interlock.model.settings import Reload
from interlock.reload.activation import Activation, History
from interlock.reload.aside import run_aside
from interlock.reload.candidate import Refused, build_candidate
from interlock.reload.clients import Clients
from interlock.reload.following import Follower
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.keeping import compare, keep, log_applied, log_rejected, restart_needed
from interlock.reload.last_good import state_folder
from interlock.reload.opening import Opened, open_first
from interlock.reload.outcome import ReloadOutcome, Trigger, findings
from interlock.reload.ports import Allowed, Observer, SnapshotStore, allow_all
from interlock.reload.reading import Reader
from interlock.reload.request import Attempt, Request
from interlock.reload.standing import Standing
from interlock.reload.watch import Watch

__all__ = ["Supervisor", "SupervisorClosed"]

_CLOSING_SECONDS = 5.0


class SupervisorClosed(InterlockError):
    """The service is stopping, so its configuration stays as it is."""

    code = "shutting_down"


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
        self.generations = Generations(opened.generation)
        """The active generation and those that still have turns."""
        snapshot = opened.generation.snapshot
        self.activation = Activation(
            digest=snapshot.digest,
            previous=None,
            at=self.generations.active.since,
            trigger=opened.trigger,
            who=None,
            why=None,
            files=snapshot.files,
        )
        """How the active configuration came to be that."""
        self.standing = Standing(
            known=opened.offered.fingerprint,
            rejected=opened.rejection,
            stale_since=opened.rejection.at if opened.rejection else None,
            resumed=opened.resumed,
        )
        """How it stands to the files."""
        self.watch = Watch(project, resync=lambda: self.rules.resync.total_seconds())
        """Whether changes of the files are being announced."""
        self.decisions = 0
        """How many there were."""
        self._started = snapshot.settings
        self._project = project
        self._environment = environment
        self._clients = clients
        self._reader = reader
        self._state_dir = state_dir
        self._observers: list[Observer] = []
        self._store: SnapshotStore | None = None
        self._history: History | None = None
        self._allowed: Allowed = allow_all
        self._lock = asyncio.Lock()
        self._waiting: dict[Request, asyncio.Task[ReloadOutcome]] = {}
        self._closed = False

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
        await store.save_snapshot(self.activation.digest, self.activation.files)
        self._store, self._history, self._allowed = store, history, allowed
        await self._keep()

    def observe(self, observer: Observer) -> None:
        """Tells `observer` of every attempt from now on."""
        self._observers.append(observer)

    @property
    def active(self) -> Snapshot:
        """The snapshot that new turns run on."""
        return self.generations.active.generation.snapshot

    @property
    def rules(self) -> Reload:
        """The active configuration's own rules for being replaced."""
        return self.active.settings.reload

    @property
    def restart_needed(self) -> tuple[str, ...]:
        """Settings whose value takes effect when the service is started again."""
        return restart_needed(self._started, self.active.settings)

    @property
    def known(self) -> str | None:
        """The fingerprint of the files if they have been decided about for good."""
        return self.standing.known

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

        Raises:
            SupervisorClosed: the service is stopping.
        """
        request = Request(trigger, who, why, if_match, allow_removals)
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

    async def close(self) -> None:
        """Waits a little for the attempt that is being made, and makes no other."""
        self._closed = True
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
        for observer in self._observers:
            observer.missed()

    async def _reload(self, request: Request) -> ReloadOutcome:
        async with self._lock:
            del self._waiting[request]
            return await self._attempt(request, await self._reader.read())

    async def _activate(self, request: Request, source: Source) -> ReloadOutcome:
        async with self._lock:
            present = await self._reader.read()
            outcome = await self._attempt(request, source)
            if outcome.status != "rejected":
                self.standing.pass_over(present, outcome.active)
            return outcome

    async def _offer(self, source: Source, decisions: int) -> ReloadOutcome | None:
        async with self._lock:
            if decisions != self.decisions:
                return None
            return await self._attempt(Request("watch"), source)

    async def _attempt(self, request: Request, source: Source) -> ReloadOutcome:
        store = self._require_open()
        self.decisions += 1
        attempt = Attempt(request, source)
        try:
            request.require_match(self.active.digest)
            faults = any(each.severity == "error" for each in source.found)
            if source.digest == self.active.digest and not (
                faults or await self._needs_new_secrets(request)
            ):
                if request.is_about_files:
                    self.standing.take(source)
                return self._tell(request, attempt.end("unchanged", self.generations.active))
            generation = await self._build(request, source, store)
        except Refused as refused:
            return self._refuse(attempt, refused)
        try:
            self._require_open()
        except SupervisorClosed:
            await generation.close()
            raise
        return await self._swap(attempt, generation)

    async def _needs_new_secrets(self, request: Request) -> bool:
        """Whether somebody asks for what is active, whose secrets lie in files that changed."""
        if request.trigger == "watch" and self.standing.rejected is None:
            # Nobody watches these files: they count when a reload is asked for.
            return False
        secrets = self.generations.active.generation.secrets
        return await run_aside(secrets.have_changed, name="secrets")

    def _require_open(self) -> SnapshotStore:
        if self._closed or self._store is None:
            raise SupervisorClosed("the service is starting or stopping; nothing is reloaded now")
        return self._store

    async def _build(self, request: Request, source: Source, store: SnapshotStore) -> Generation:
        before = self.active

        def accept(snapshot: Snapshot) -> Iterable[Diagnostic]:
            yield from self._allowed(snapshot)
            refused = request.refuse_removals(before, snapshot)
            if refused is not None:
                yield refused

        generation = await build_candidate(
            source,
            self._environment,
            project=self._project,
            clients=self._clients,
            accept=accept,
        )
        try:
            # Turns refer to the snapshot that they run on, so it is kept before there are any.
            await store.save_snapshot(source.digest, source.files)
        except StoreError as error:
            await generation.close()
            message = f"the store cannot keep the configuration: {error}"
            raise Refused("store", [Diagnostic("ILK-R005", message, Location("./"))]) from error
        return generation

    async def _swap(self, attempt: Attempt, generation: Generation) -> ReloadOutcome:
        request, before, after = attempt.request, self.active, generation.snapshot
        drain = after.settings.reload.drain_timeout
        held = self.generations.replace(generation, drain_seconds=drain.total_seconds())
        # From here on new turns run on it; all that follows is telling of it.
        outcome = attempt.end("applied", held, previous=before.digest)
        self.activation = Activation(
            digest=after.digest,
            previous=before.digest,
            at=held.since,
            trigger=request.trigger,
            who=request.who,
            why=request.why,
            files=after.files,
        )
        if request.is_about_files:
            self.standing.take(attempt.source)
        forget_unused()
        outcome = replace(
            outcome,
            findings=findings(generation.found, after.files),
            changes=await compare(before, after),
            restart_needed=self.restart_needed,
        )
        log_applied(outcome, request.trigger, request.who)
        await self._keep()
        return self._tell(request, outcome)

    def _refuse(self, attempt: Attempt, refused: Refused) -> ReloadOutcome:
        request, active = attempt.request, self.generations.active
        outcome = attempt.end("rejected", active, refused=refused)
        rejection = attempt.rejection(refused.reason, outcome.findings)
        judged = request.is_about_files and refused.reason != "stale_precondition"
        if judged and not self.standing.refuse(attempt.source, rejection):
            return outcome
        log_rejected(rejection, generation=active.number, active=active.digest)
        return self._tell(request, outcome)

    def _tell(self, request: Request, outcome: ReloadOutcome) -> ReloadOutcome:
        for observer in self._observers:
            observer.attempted(outcome, request.trigger)
        return outcome

    async def _keep(self) -> None:
        folder = self._state_dir or state_folder(
            self._project, self.active.settings, self._environment
        )
        await keep(self.activation, folder=folder, history=self._history)
