"""What is done once a configuration has become active: keeping it, and telling of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from interlock.config.diff import Change, diff
from interlock.config.diff_lines import describe
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.cost.prices import price_of
from interlock.guardrails import SETTINGS
from interlock.model.settings import PriceEntry, Settings
from interlock.model.usage import Price
from interlock.reload.activation import Activation, History
from interlock.reload.aside import run_aside
from interlock.reload.last_good import LastGood
from interlock.reload.outcome import Rejection, ReloadOutcome, Trigger
from interlock.reload.trial import Trial

__all__ = ["compare", "keep", "log_applied", "log_rejected", "log_trial", "restart_needed"]

_RESTART = (("server", "host"), ("server", "port"), ("store", "url"))
"""What is only read when the service starts."""

_SHOWN = 12
"""Digits of a digest in the log."""

_LOG = logging.getLogger(__name__)


async def keep(record: Activation, *, folder: Path, history: History | None) -> None:
    """Saves an activation as the last good one, and in the history. Never raises.

    Both happen after the swap: a full disk is no reason to go on with an older configuration.
    """
    source = Source(record.files)
    try:
        await run_aside(partial(LastGood(folder).save, source), name="keep")
    except OSError as error:
        _LOG.error(
            "the configuration is active, but could not be kept for `serve --resume`: %s", error
        )
    if history is None:
        return
    try:
        await history.activated(record)
    except Exception:
        # The boundary of a foreign recorder: the configuration is active all the same.
        _LOG.exception("the activation of snapshot %s was not recorded", record.digest)


async def compare(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What is different, in meaning. Nothing if it cannot be told."""
    comparing = partial(diff, before, after, _price_of, guardrails=SETTINGS)
    try:
        return await run_aside(comparing, name="diff")
    except Exception:
        # The boundary of a report: what it is about has happened already.
        _LOG.exception("snapshots %s and %s cannot be compared", before.digest, after.digest)
        return ()


def restart_needed(started: Settings, active: Settings) -> tuple[str, ...]:
    """The settings of `active` that differ from those that the service was started with."""
    return tuple(
        f"{section}.{key}"
        for section, key in _RESTART
        if getattr(getattr(started, section), key) != getattr(getattr(active, section), key)
    )


def log_applied(outcome: ReloadOutcome, trigger: Trigger, who: str | None) -> None:
    """Tells of an activation and of what it changes."""
    by = f"{trigger}, {who}" if who else trigger
    lines = [
        f"configuration applied by {by} in {outcome.seconds:.2f} s: "
        f"generation {outcome.generation}, snapshot {outcome.active[:_SHOWN]}, "
        f"before {outcome.previous[:_SHOWN]}",
        *(f"  {describe(change)}" for change in outcome.changes),
    ]
    if outcome.restart_needed:
        lines.append(f"  restart needed: {', '.join(outcome.restart_needed)}")
    _LOG.info("%s", "\n".join(lines))


def log_trial(trial: Trial, outcome: ReloadOutcome) -> None:
    """Tells of a configuration that is being tried, and of what it changes."""
    lines = [
        f"configuration on trial by {trial.request.trigger}: generation {trial.held.number}, "
        f"snapshot {trial.held.digest[:_SHOWN]} gets {trial.rules.share} of the new "
        f"conversations until {trial.until.isoformat(timespec='seconds')}",
        *(f"  {describe(change)}" for change in outcome.changes),
    ]
    _LOG.info("%s", "\n".join(lines))


def log_rejected(rejection: Rejection, *, generation: int, active: str) -> None:
    """Tells of a rejection, with all findings as a terminal shows them."""
    _LOG.error(
        "configuration rejected (%s), found by %s, snapshot %s; generation %d, snapshot %s "
        "serves on\n%s",
        rejection.reason,
        rejection.trigger,
        rejection.digest[:_SHOWN],
        generation,
        active[:_SHOWN],
        "\n".join(finding.text for finding in rejection.findings),
    )


def _price_of(model: str, overrides: Mapping[str, PriceEntry]) -> Price | None:
    return price_of(model, overrides=overrides)
