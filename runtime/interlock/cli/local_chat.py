"""A conversation with an agent that runs in this process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.cli.conversation import Listener
from interlock.config.source import read_tree
from interlock.errors import StoreError
from interlock.model.agent import Replies
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent
from interlock.reload.generation import Generation, build, resolve
from interlock.reload.generations import Generations
from interlock.runtime import Runtime
from interlock.service.views import answer_json
from interlock.store.store import Store

__all__ = ["LocalTalk", "open_local"]


class LocalTalk:
    """A conversation of this process's runtime."""

    def __init__(self, runtime: Runtime, conversation_id: str) -> None:
        self._runtime = runtime
        self._conversation_id = conversation_id

    async def send(self, text: str, listener: Listener) -> JsonObject:
        """The answer to a message. Raises `InterlockError`."""

        def on_event(event: TraceEvent) -> None:
            measures = {"latencyMs": event.latency_ms, "model": event.model, "tokens": event.tokens}
            listener(event.type, {**measures, **event.data})

        answered = await self._runtime.send(self._conversation_id, text, listener=on_event)
        return answer_json(answered)


@asynccontextmanager
async def open_local(
    project: Path, agent: str, *, customer_id: str | None, session: JsonObject
) -> AsyncIterator[LocalTalk]:
    """Starts the project's runtime and opens a conversation with one of its agents.

    Raises `ConfigError`, `StoreError` and `UnknownAgent`. A turn that still runs at the end may
    finish first.
    """
    source = await asyncio.to_thread(read_tree, project)
    generation = build(source, os.environ, project=project)
    try:
        await generation.start()
        store = await _open_store(generation, project)
    except BaseException:
        await generation.close()
        raise
    runtime = Runtime(Generations(generation), store)
    try:
        await store.save_snapshot(generation.snapshot.digest, generation.snapshot.files)
        # This process alone may write, so a turn that seems to run was left by a killed one.
        await store.end_interrupted_turns(Replies().failed)
        conversation = await runtime.create_conversation(
            agent, customer_id=customer_id, session=session
        )
        yield LocalTalk(runtime, conversation.id)
    finally:
        if runtime.turns_running:
            print("waiting for the turn to end; Ctrl-C again stops it", file=sys.stderr)
        drain = generation.snapshot.settings.server.drain_timeout
        await runtime.close(drain_seconds=drain.total_seconds())


async def _open_store(generation: Generation, project: Path) -> Store:
    settings = generation.snapshot.settings
    try:
        return await Store.open(resolve(settings.store.url, os.environ), project=project)
    except StoreError as error:
        host, port = settings.server.host, settings.server.port
        raise StoreError(
            f"{error} (a service that is running is talked to with --url http://{host}:{port})"
        ) from error
