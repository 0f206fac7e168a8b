"""A whole runtime in this process: real configuration, plugins, turns and store; no network."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from interlock.config.source import Source
from interlock.engine.steps import Services
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.model.turn import Outcome
from interlock.reload.candidate import build_candidate
from interlock.reload.clients import Clients
from interlock.reload.generations import Generations
from interlock.runtime import Runtime
from interlock.store.store import Store
from interlock.testing.model import Call, ScriptedModel
from interlock.testing.project import SMALL_PROJECT

__all__ = ["Harness", "Said", "run_project"]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one message."""

    outcome: Outcome
    reply: str
    """What the customer reads."""
    reason: str
    events: tuple[TraceEvent, ...]
    """The turn's trace."""


class Harness:
    """A runtime to talk to."""

    def __init__(self, runtime: Runtime, model: ScriptedModel, project: Path) -> None:
        self.runtime = runtime
        self.model = model
        """What the model was asked."""
        self.project = project
        """The folder that paths in the configuration are relative to; gone afterwards."""

    async def say(
        self, text: str, *, agent: str = "support", session: JsonObject | None = None
    ) -> Said:
        """Sends the first message of a new conversation."""
        conversation = await self.runtime.create_conversation(
            agent, customer_id="CUST-1", session=session or {}
        )
        events: list[TraceEvent] = []
        answered = await self.runtime.send(conversation.id, text, listener=events.append)
        result = answered.result
        return Said(result.outcome, result.reply, result.reason, tuple(events))

    async def stop(self) -> None:
        """Ends the runtime: after this, sinks and plugins have been told everything."""
        await self.runtime.close(drain_seconds=10)


@asynccontextmanager
async def run_project(
    files: Mapping[str, str] | None = None,
    *,
    replies: Sequence[str | Call] = (),
    settings: str = "",
    agent: str = "",
) -> AsyncIterator[Harness]:
    """A runtime of a small project, with these files added or put in the place of others.

    Args:
        files: texts by path, such as `plugins/pii.py`.
        replies: what the model says, in order; plans are made up by it.
        settings: further lines of interlock.yaml.
        agent: further lines of the agent `support`.

    Raises:
        Refused: the configuration is not valid; `found` holds why.
    """
    texts = {**SMALL_PROJECT, **(files or {})}
    texts["interlock.yaml"] += settings
    texts["agents.d/support.yaml"] += agent
    source = Source({path: text.encode() for path, text in texts.items()})
    model = ScriptedModel(replies)
    with tempfile.TemporaryDirectory(prefix="interlock-") as folder:
        project = Path(folder)
        generation = await build_candidate(source, {}, project=project, clients=Clients())
        providers = dict.fromkeys(generation.snapshot.settings.providers, model)
        services = Services(providers, generation.services.tools)
        store = await Store.open("sqlite:///store.db", project=project)
        runtime = Runtime(Generations(replace(generation, services=services)), store)
        await store.save_snapshot(generation.snapshot.digest, generation.snapshot.files)
        harness = Harness(runtime, model, project)
        try:
            yield harness
        finally:
            if not runtime.stopping:
                await harness.stop()
