"""A service from its start to its orderly end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path

from interlock.config.source import read_tree
from interlock.model.agent import Replies
from interlock.reload.generation import Generation, build, resolve
from interlock.runtime import Runtime
from interlock.service.app import create_app
from interlock.service.listening import check_host, listen, url_of
from interlock.service.server import Server
from interlock.service.signals import stop_signals
from interlock.store.store import Store

__all__ = ["serve"]


async def serve(
    project: Path,
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None],
) -> None:
    """Runs the service of a project until SIGINT or SIGTERM, then lets running turns finish.

    Args:
        project: the directory with `interlock.yaml`.
        environment: the environment variables that the configuration may refer to.
        host: overrides `server.host`.
        port: overrides `server.port`; 0 takes a free one.
        on_ready: called with the service's URL once it answers.

    Raises:
        ConfigError: the configuration is not valid.
        CannotListen: the address is taken, or not to be used without keys.
        StoreError: the store cannot be opened.
    """
    with stop_signals() as stop:
        source = await asyncio.to_thread(read_tree, project)
        async with AsyncExitStack() as stack:
            generation = await asyncio.to_thread(build, source, environment)
            stack.push_async_callback(generation.close)
            settings = generation.snapshot.settings
            address = (
                settings.server.host if host is None else host,
                settings.server.port if port is None else port,
            )
            check_host(address[0], settings.auth.keys)
            listener = stack.enter_context(closing(await asyncio.to_thread(listen, *address)))
            url = resolve(settings.store.url, environment)
            store = await stack.enter_async_context(await Store.open(url, project=project))
            runtime = await _prepare(generation, store)
            # From here on the runtime closes both, and the server the socket.
            stack.pop_all()
        await _run(runtime, listener, stop=stop, on_ready=on_ready)


async def _prepare(generation: Generation, store: Store) -> Runtime:
    snapshot = generation.snapshot
    await store.save_snapshot(snapshot.digest, snapshot.files)
    # Nothing runs yet, so what the store calls running was left behind by a killed process.
    await store.end_interrupted_turns(Replies().failed)
    return Runtime(generation, store)


async def _run(
    runtime: Runtime,
    listener: socket.socket,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[str], None],
) -> None:
    server = Server(create_app(runtime))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _until(server.ready, serving)
        if server.ready.is_set():
            on_ready(url_of(listener))
            await _until(stop, serving)
    finally:
        try:
            # The server goes on meanwhile: to answer running turns, and to say no to new ones.
            drain = runtime.generation.snapshot.settings.server.drain_timeout
            await runtime.close(drain_seconds=drain.total_seconds())
        finally:
            server.should_exit = True
            await serving
            listener.close()


async def _until(event: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Waits for the event, or for a server that ends before it."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
