"""From what the supervisor holds to what the API shows of the configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from interlock.model.base import JsonObject
from interlock.reload import outcome
from interlock.reload.outcome import ReloadOutcome
from interlock.reload.supervisor import Supervisor
from interlock.reload.trial import Trial
from interlock.reload.verdict import Arm
from interlock.service.config_schemas import (
    ActiveConfig,
    CanaryArm,
    CanaryView,
    Change,
    ConfigFile,
    ConfigView,
    DrainingConfig,
    RejectedConfig,
    Reloaded,
    WatcherView,
)
from interlock.service.money import usd_text
from interlock.service.schemas import Finding
from interlock.service.views import switch_views
from interlock.store.records import Switch

__all__ = ["config_view", "finding_json", "reloaded_view"]


def config_view(supervisor: Supervisor, switches: Iterable[Switch]) -> ConfigView:
    """The state of the configuration. Contents are left out, and so is every secret."""
    standing = supervisor.standing
    rejected = standing.rejected
    return ConfigView(
        active=_active(supervisor),
        rejected=None
        if rejected is None
        else RejectedConfig(
            digest=rejected.digest,
            time=rejected.at,
            trigger=rejected.trigger,
            reason=rejected.reason,
            findings=_findings(rejected.findings),
        ),
        resumed=standing.resumed,
        rolled_back=standing.rolled_back,
        canary=_canary(supervisor.generations.trial),
        draining=[
            DrainingConfig(
                generation=held.number,
                digest=held.digest,
                replaced_at=held.replaced_at or held.since,
                turns=held.turns,
            )
            for held in supervisor.generations.draining
        ],
        switches=switch_views(switches),
        watcher=_watcher(supervisor),
    )


def reloaded_view(done: ReloadOutcome) -> Reloaded:
    """A reload that was not refused."""
    assert done.status != "rejected"
    return Reloaded(
        status=done.status,
        generation=done.generation,
        digest=done.active,
        previous=done.previous,
        changes=[Change.model_validate(change.to_json()) for change in done.changes],
        restart_needed=list(done.restart_needed),
        warnings=_findings(done.findings),
        seconds=done.seconds,
    )


def finding_json(finding: outcome.Finding) -> JsonObject:
    """A finding as JSON."""
    return {**finding.diagnostic.to_json(), "text": finding.text}


def _active(supervisor: Supervisor) -> ActiveConfig:
    held, activation = supervisor.generations.active, supervisor.activation
    snapshot = held.generation.snapshot
    return ActiveConfig(
        generation=held.number,
        digest=held.digest,
        since=activation.at,
        trigger=activation.trigger,
        who=activation.who,
        why=activation.why,
        files=[
            ConfigFile(path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            for path, data in sorted(snapshot.files.items())
        ],
        agents=sorted(snapshot.agents),
        tools=sorted(snapshot.tools),
        turns=held.turns,
        restart_needed=list(supervisor.restart_needed),
    )


def _canary(trial: Trial | None) -> CanaryView | None:
    if trial is None:
        return None
    return CanaryView(
        generation=trial.held.number,
        digest=trial.held.digest,
        since=trial.held.since,
        until=trial.until,
        share=float(trial.rules.share),
        trigger=trial.request.trigger,
        who=trial.request.who,
        why=trial.request.why,
        turns=trial.held.turns,
        canary=_arm(trial.canary),
        active=_arm(trial.active),
        verdict=trial.verdict().reason,
    )


def _arm(arm: Arm) -> CanaryArm:
    return CanaryArm(
        turns=arm.turns,
        escalated=arm.escalated,
        failed=arm.failed,
        refused=arm.refused,
        cost_usd=usd_text(arm.cost_nano),
    )


def _watcher(supervisor: Supervisor) -> WatcherView:
    rules, watch = supervisor.rules, supervisor.watch
    watching = "watching" if watch.failure is None else "resync_only"
    return WatcherView.model_validate(
        {
            "mode": rules.mode,
            "state": "off" if rules.mode == "manual" else watching,
            "failure": watch.failure,
            "resyncSeconds": rules.resync.total_seconds(),
            "restarts": watch.restarts,
        }
    )


def _findings(found: tuple[outcome.Finding, ...]) -> list[Finding]:
    return [Finding.model_validate(finding_json(each)) for each in found]
