"""What the API gives and takes about the configuration, as pydantic models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from interlock.reload.outcome import Reason, Trigger
from interlock.service.schemas import Finding, Schema, SwitchView

__all__ = [
    "ActiveConfig",
    "CanaryArm",
    "CanaryView",
    "Change",
    "ConfigFile",
    "ConfigView",
    "DrainingConfig",
    "EndCanary",
    "EndedCanary",
    "NewReload",
    "RejectedConfig",
    "Reloaded",
    "SnapshotView",
    "WatcherView",
]


class ConfigFile(Schema):
    """One file of the configuration."""

    path: str
    """Relative to the project."""
    bytes: int
    sha256: str


class ActiveConfig(Schema):
    """The configuration that new turns run on."""

    generation: int
    """Its number, from 1 in each process."""
    digest: str
    """The snapshot's name, a SHA-256 over all files."""
    since: datetime
    """When it became active."""
    trigger: Trigger
    """What made it so."""
    who: str | None
    """The API key of whoever asked for it."""
    why: str | None
    files: list[ConfigFile]
    agents: list[str]
    tools: list[str]
    turns: int
    """Turns that are running on it."""
    restart_needed: list[str] = Field(examples=[["server.port"]])
    """Settings whose value takes effect when the service is started again."""


class RejectedConfig(Schema):
    """What the files hold, if it is not applied."""

    digest: str
    time: datetime
    trigger: Trigger
    reason: Reason
    """`parse`, `invalid` and `plugin` are faults of the files; `mass_change` removes too much;
    `unreadable` and `store` may pass and are tried again."""
    findings: list[Finding]


class DrainingConfig(Schema):
    """A configuration that was replaced and still has turns running."""

    generation: int
    digest: str
    replaced_at: datetime
    turns: int


class CanaryArm(Schema):
    """What the turns of one configuration came to, in conversations begun since the canary."""

    turns: int
    escalated: int
    failed: int
    """Those that ended incomplete too."""
    refused: int
    cost_usd: str = Field(examples=["0.012345678"])


class CanaryView(Schema):
    """A configuration that serves a share of the new conversations."""

    generation: int
    digest: str
    since: datetime
    until: datetime
    """When it is promoted, if nothing speaks against it."""
    share: float
    trigger: Trigger
    who: str | None
    why: str | None
    turns: int
    """Turns that are running on it."""
    canary: CanaryArm
    active: CanaryArm
    """The conversations that it is compared with."""
    verdict: str
    """How it stands, in words."""


class EndedCanary(Schema):
    """What came of ending a canary."""

    status: Literal["applied", "rejected"]
    generation: int
    """Number of the active configuration."""
    digest: str
    """Digest of the active configuration."""
    canary: str
    """Digest of the configuration that was tried."""


class EndCanary(Schema):
    """What ends a canary."""

    why: Annotated[str, Field(max_length=500)] | None = None
    """Kept in the history, or with the rejection."""


class WatcherView(Schema):
    """How changes of the files are noticed."""

    mode: Literal["auto", "manual"]
    state: Literal["watching", "resync_only", "off"]
    """`watching`: as soon as they are made. `resync_only`: watching failed, so only every
    `resyncSeconds`. `off`: not at all, as `reload.mode` is manual."""
    failure: str | None
    """Why watching failed, and what can be done about it."""
    resync_seconds: float
    restarts: int
    """How often watching was begun anew."""


class ConfigView(Schema):
    """What is active, what is not and why, and what is on its way out."""

    active: ActiveConfig
    rejected: RejectedConfig | None
    resumed: datetime | None
    """When the active configuration was kept, if it is the last good one of an earlier run."""
    rolled_back: str | None
    """Digest of the files, if they were passed over for an earlier configuration."""
    canary: CanaryView | None
    """What is being tried beside the active one."""
    draining: list[DrainingConfig]
    switches: list[SwitchView]
    """What operators have switched off, whatever the configuration says."""
    watcher: WatcherView


class SnapshotView(Schema):
    """A configuration itself."""

    digest: str
    files: dict[str, str]
    """The bytes of each file in base64, by its path."""


class NewReload(Schema):
    """What asks for a reload."""

    why: Annotated[str, Field(max_length=500)] | None = None
    """Kept in the history."""
    allow_removals: bool = False
    """Apply the files even if they remove many agents at once."""
    skip_canary: bool = False
    """Apply the files for all conversations at once, whatever `reload.canary` says."""


class Change(Schema):
    """One thing that is different from the configuration before."""

    subject: str = Field(examples=["agent support"])
    path: str = Field(examples=["limits.maxTokens"])
    kind: Literal["added", "removed", "changed"]
    before: str | None
    after: str | None
    widening: bool
    """Whether agents, tools or strangers may do or spend more than before."""
    note: str | None
    restart_needed: bool


class Reloaded(Schema):
    """What came of a reload that was not refused."""

    status: Literal["applied", "canary", "unchanged"]
    """`canary`: they serve a share of the new conversations; what is active stays so meanwhile."""
    generation: int
    """Number of the active configuration."""
    digest: str
    """Digest of the active configuration."""
    previous: str
    """Digest of what was active before; the same if nothing has changed."""
    changes: list[Change]
    restart_needed: list[str]
    warnings: list[Finding]
    seconds: float
