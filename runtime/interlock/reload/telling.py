"""Telling the plugins of the active configuration what became of an attempt to replace it."""

from __future__ import annotations

from interlock.hooks.data import ReloadInfo
from interlock.reload.generations import Generations
from interlock.reload.outcome import ReloadOutcome, Trigger

__all__ = ["PluginObserver"]


class PluginObserver:
    """An observer of the supervisor, for the hook `on_reload`."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        """Tells the plugins of the configuration that is active now."""
        info = ReloadInfo(
            status=outcome.status,
            trigger=trigger,
            digest=outcome.digest,
            active=outcome.active,
            generation=outcome.generation,
            previous=outcome.previous,
            reason=outcome.reason,
            findings=tuple(each.diagnostic.to_json() for each in outcome.findings),
        )
        self._generations.active.generation.plugins.reloaded(info)

    def missed(self) -> None:
        """That a change was not announced is nothing that plugins need to know."""
