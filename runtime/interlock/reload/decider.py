"""Deciding about a configuration that is offered: applied, tried, unchanged or rejected."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import InterlockError, StoreError
from interlock.memo import forget_unused
from interlock.model.canary import Canary
from interlock.model.settings import Reload
from interlock.reload.activation import Activation, History
from interlock.reload.aside import run_aside
from interlock.reload.candidate import Refused, build_candidate, canary_refused
from interlock.reload.clients import Clients
from interlock.reload.generation import Generation
from interlock.reload.generations import Generations
from interlock.reload.held import Held
from interlock.reload.keeping import (
    compare,
    keep,
    log_applied,
    log_rejected,
    log_trial,
    restart_needed,
)
from interlock.reload.last_good import state_folder
from interlock.reload.opening import Opened
from interlock.reload.outcome import ReloadOutcome, findings
from interlock.reload.ports import Allowed, Observer, SnapshotStore, allow_all
from interlock.reload.request import Attempt, Request
from interlock.reload.standing import Standing
from interlock.reload.trial import Trial
from interlock.reload.trial_record import TrialRecord
from interlock.reload.trying import Decided, Trying, keep_record

__all__ = ["Decider", "SupervisorClosed"]

_LOG = logging.getLogger(__name__)


class SupervisorClosed(InterlockError):
    """The service is stopping, so its configuration stays as it is."""

    code = "shutting_down"


class Decider:
    """What is active, and what is made of each attempt to change it.

    Attempts must be made one after the other. Whatever goes wrong with one, what was active
    before stays so.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        project: Path,
        environment: Mapping[str, str],
        clients: Clients,
        state_dir: Path | None,
        decided: Decided,
    ) -> None:
        self.generations = Generations(opened.generation)
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
        self.standing = Standing(
            known=None if opened.untried else opened.offered.fingerprint,
            rejected=opened.rejection,
            stale_since=opened.rejection.at if opened.rejection else None,
            resumed=opened.resumed,
        )
        self.decisions = 0
        """How many there were."""
        self.observers: list[Observer] = []
        self.closed = False
        """Whether no attempt may be made any more."""
        self._trying = Trying(self.generations, decided)
        self._started = snapshot.settings
        self._project = project
        self._environment = environment
        self._clients = clients
        self._state_dir = state_dir
        self._store: SnapshotStore | None = None
        self._history: History | None = None
        self._allowed: Allowed = allow_all

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

    async def begin(
        self, store: SnapshotStore, *, history: History | None, allowed: Allowed
    ) -> None:
        """Keeps the first configuration. Raises `StoreError`."""
        await store.save_snapshot(self.activation.digest, self.activation.files)
        self._store, self._history, self._allowed = store, history, allowed
        await self._keep()

    def close(self) -> None:
        """Makes no attempt any more, and ends no trial by itself."""
        self.closed = True
        self._trying.stop()

    async def attempt(self, request: Request, source: Source) -> ReloadOutcome:
        """Makes the source the active configuration, or tries it, if it is valid.

        Raises `SupervisorClosed`.
        """
        store = self.require_open()
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
                await self._drop_trial("the files are what is active again")
                return self._tell(request, attempt.end("unchanged", self.generations.active))
            trial = self.generations.trial
            if trial is not None and source.digest == trial.held.digest and not faults:
                self.standing.take(source)
                if request.skip_canary:
                    return await self.promote(trial, request, "as was asked for")
                return self._tell(request, attempt.end("canary", self.generations.active))
            generation = await self._build(request, source, store)
        except Refused as refused:
            return self._refuse(attempt, refused)
        try:
            self.require_open()
        except SupervisorClosed:
            await generation.close()
            raise
        await self._drop_trial("another configuration was asked for")
        if self.rules.canary is not None and request.is_tried:
            return await self._try(attempt, generation, self.rules.canary)
        return await self._swap(attempt, generation)

    async def promote(self, trial: Trial, request: Request, reason: str) -> ReloadOutcome:
        """Makes the configuration on trial the active one."""
        before = self.active
        told = "; ".join(part for part in (request.why, f"promoted canary, {reason}") if part)
        # The attempt of now: the trial's own would count the trial as its duration.
        attempt = Attempt(replace(request, why=told), trial.source)
        drain = trial.held.generation.snapshot.settings.reload.drain_timeout
        held = self._trying.end(promote=True, drain_seconds=drain.total_seconds())
        await self._keep_trial(None)
        return await self._activated(attempt, before, held)

    async def abort(self, trial: Trial, reason: str) -> ReloadOutcome:
        """Stops trying a configuration; it counts as rejected."""
        self._trying.end(promote=False, drain_seconds=self.rules.drain_timeout.total_seconds())
        await self._keep_trial(TrialRecord(trial.source.digest, "aborted", reason))
        return self._refuse(Attempt(trial.request, trial.source), canary_refused(reason))

    def require_open(self) -> SnapshotStore:
        """Raises `SupervisorClosed` before the beginning and after the end."""
        if self.closed or self._store is None:
            raise SupervisorClosed("the service is starting or stopping; nothing is reloaded now")
        return self._store

    async def _needs_new_secrets(self, request: Request) -> bool:
        """Whether somebody asks for what is active, whose secrets lie in files that changed."""
        if request.trigger == "watch" and self.standing.rejected is None:
            # Nobody watches these files: they count when a reload is asked for.
            return False
        secrets = self.generations.active.generation.secrets
        return await run_aside(secrets.have_changed, name="secrets")

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
        before = self.active
        drain = generation.snapshot.settings.reload.drain_timeout
        held = self.generations.replace(generation, drain_seconds=drain.total_seconds())
        if attempt.request.is_about_files:
            self.standing.take(attempt.source)
        return await self._activated(attempt, before, held)

    async def _activated(self, attempt: Attempt, before: Snapshot, held: Held) -> ReloadOutcome:
        request, after = attempt.request, held.generation.snapshot
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
        forget_unused()
        outcome = replace(
            outcome,
            findings=findings(held.generation.found, after.files),
            changes=await compare(before, after),
            restart_needed=self.restart_needed,
        )
        log_applied(outcome, request.trigger, request.who)
        await self._keep()
        return self._tell(request, outcome)

    async def _try(self, attempt: Attempt, generation: Generation, rules: Canary) -> ReloadOutcome:
        source, request = attempt.source, attempt.request
        # Before anything runs on it: a process that is killed now must not start with it.
        await self._keep_trial(TrialRecord(source.digest, "trying", ""))
        trial = self._trying.begin(generation, request=request, source=source, rules=rules)
        self.standing.take(source)
        outcome = replace(
            attempt.end("canary", self.generations.active),
            findings=findings(generation.found, source.files),
            changes=await compare(self.active, generation.snapshot),
        )
        log_trial(trial, outcome)
        return self._tell(request, outcome)

    async def _drop_trial(self, why: str) -> None:
        """Stops trying a configuration that nobody wants any more."""
        if self.generations.trial is not None:
            self._trying.end(promote=False, drain_seconds=self.rules.drain_timeout.total_seconds())
            _LOG.info("the canary was ended: %s", why)
        await self._keep_trial(None)

    async def _keep_trial(self, record: TrialRecord | None) -> None:
        await keep_record(record, folder=self._folder())

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
        for observer in self.observers:
            observer.attempted(outcome, request.trigger)
        return outcome

    async def _keep(self) -> None:
        await keep(self.activation, folder=self._folder(), history=self._history)

    def _folder(self) -> Path:
        return self._state_dir or state_folder(
            self._project, self.active.settings, self._environment
        )
