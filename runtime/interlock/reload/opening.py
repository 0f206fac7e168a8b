"""The first generation of a process: of the files, or of what was active before."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from interlock.config.source import SETTINGS_FILE, Source
from interlock.config.validate import validate
from interlock.config.yaml import parse_yaml
from interlock.errors import ConfigError
from interlock.model.settings import Settings
from interlock.reload.aside import run_aside
from interlock.reload.candidate import Refused, build_candidate, canary_refused
from interlock.reload.clients import Clients
from interlock.reload.generation import Generation
from interlock.reload.last_good import LastGood, Saved, state_folder
from interlock.reload.outcome import Rejection, Trigger, findings
from interlock.reload.trial_record import TrialRecords

__all__ = ["Opened", "open_first"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation to begin with."""

    generation: Generation
    offered: Source
    """The files as they are."""
    rejection: Rejection | None = None
    """Why the generation is not that of the files."""
    resumed: datetime | None = None
    """When the generation's configuration was kept, if it is an older one."""
    untried: bool = False
    """Whether the files were on trial when the process before ended, and are to be tried again."""

    @property
    def trigger(self) -> Trigger:
        """Where the generation comes from."""
        return "start" if self.resumed is None else "resume"


async def open_first(
    source: Source,
    environment: Mapping[str, str],
    *,
    clients: Clients,
    project: Path,
    resume: bool,
    state_dir: Path | None,
) -> Opened:
    """The generation of `source`. If that is not valid, with `resume` the last good one.

    Raises `ConfigError` with every finding about `source`.
    """
    try:
        generation = await build_candidate(source, environment, project=project, clients=clients)
    except Refused as refused:
        folder = state_dir or state_folder(project, _settings(source), environment)
        saved = await run_aside(LastGood(folder).newest, name="resume")
        if saved is None and resume:
            _LOG.error("there is no last good configuration in %s", folder)
        elif saved is not None and not resume:
            at = saved.at.isoformat(timespec="seconds")
            _LOG.warning("serve --resume would start with the configuration of %s", at)
        elif saved is not None:
            opened = await _resume(saved, environment, project, clients, source, refused)
            if opened is not None:
                return opened
        raise ConfigError(refused.found) from refused
    return await _not_beyond_trial(
        generation,
        source,
        environment,
        clients=clients,
        project=project,
        folder=state_dir or state_folder(project, generation.snapshot.settings, environment),
    )


async def _not_beyond_trial(
    generation: Generation,
    source: Source,
    environment: Mapping[str, str],
    *,
    clients: Clients,
    project: Path,
    folder: Path,
) -> Opened:
    """The generation of the files, unless they never passed their trial: a restart is no proof."""
    record = await run_aside(TrialRecords(folder).read, name="canary")
    if record is None or record.digest != source.digest:
        return Opened(generation, source)
    saved = await run_aside(LastGood(folder).newest, name="resume")
    if saved is None or saved.source.digest == source.digest:
        return Opened(generation, source)
    try:
        before = await build_candidate(saved.source, environment, project=project, clients=clients)
    except Refused:
        _LOG.error("%s is not valid any more; the files are active without a trial", saved.path)
        return Opened(generation, source)
    await generation.close()
    if record.state == "trying":
        return Opened(before, source, untried=True)
    refused = canary_refused(record.reason)
    return Opened(before, source, _rejection(source, refused))


async def _resume(
    saved: Saved,
    environment: Mapping[str, str],
    project: Path,
    clients: Clients,
    source: Source,
    refused: Refused,
) -> Opened | None:
    try:
        generation = await build_candidate(
            saved.source, environment, project=project, clients=clients
        )
    except Refused as also:
        _LOG.error(
            "%s is not valid either:\n%s",
            saved.path,
            "\n".join(each.text for each in findings(also.found, saved.source.files)),
        )
        return None
    rejection = _rejection(source, refused)
    _LOG.error(
        "the configuration is not valid (%s); resumed with snapshot %s of %s, from %s\n%s",
        refused.reason,
        saved.source.digest[:12],
        saved.at.isoformat(timespec="seconds"),
        saved.path,
        "\n".join(finding.text for finding in rejection.findings),
    )
    return Opened(generation, source, rejection, saved.at)


def _rejection(source: Source, refused: Refused) -> Rejection:
    return Rejection(
        digest=source.digest,
        at=datetime.now(UTC),
        trigger="start",
        reason=refused.reason,
        findings=findings(refused.found, source.files),
    )


def _settings(source: Source) -> Settings | None:
    """The settings of a source whose other files may be broken."""
    documents, found = parse_yaml(SETTINGS_FILE, source.files.get(SETTINGS_FILE, b""))
    if found or not documents:
        return None
    settings, _ = validate(Settings, documents[0])
    return settings
