"""A service from its start to its orderly end."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, closing
from functools import partial
from pathlib import Path

from interlock.alerts.alerter import Alerter
from interlock.config.snapshot import Snapshot
from interlock.diagnostics import Diagnostic, Location
from interlock.model.agent import Replies
from interlock.reload.generation import Generation, resolve
from interlock.reload.history import StoreHistory
from interlock.reload.log_lines import name_generations
from interlock.reload.supervisor import Supervisor
from interlock.reload.telling import PluginObserver
from interlock.reload.webhook_target import webhook_target
from interlock.runtime import Runtime
from interlock.service.app import create_app
from interlock.service.key_ring import KeyRing
from interlock.service.listening import CannotListen, check_host, listen, url_of
from interlock.service.metrics import Metrics
from interlock.service.server import Server
from interlock.service.signals import Told, listen_to_signals
from interlock.service.systemd import Systemd, follow_signals
from interlock.store.store import Store
from interlock.webhooks.sender import Target, WebhookSender

__all__ = ["serve"]


async def serve(
    project: Path,
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    port: int | None = None,
    resume: bool = False,
    state_dir: Path | None = None,
    on_loaded: Callable[[Generation], None] = lambda generation: None,
    on_ready: Callable[[str], None],
) -> None:
    """Runs the service of a project until SIGINT or SIGTERM, then lets running turns finish.

    Args:
        project: the directory with `interlock.yaml`.
        environment: the environment variables that the configuration may refer to.
        host: overrides `server.host`.
        port: overrides `server.port`; 0 takes a free one.
        resume: start with the last good configuration if the files are not valid.
        state_dir: where the last good ones are kept, whatever `reload.stateDir` says.
        on_loaded: called with the first configuration, before anything is opened for it.
        on_ready: called with the service's URL once it answers.

    Raises:
        ConfigError: the configuration is not valid.
        CannotListen: the address is taken, or not to be used without keys.
        StoreError: the store cannot be opened.
    """
    with listen_to_signals() as told, ExitStack() as naming:
        async with AsyncExitStack() as stack:
            supervisor = await Supervisor.start(
                project, environment, resume=resume, state_dir=state_dir
            )
            stack.push_async_callback(supervisor.generations.close)
            naming.enter_context(name_generations(supervisor.generations))
            on_loaded(supervisor.generations.active.generation)
            settings = supervisor.active.settings
            address = (
                settings.server.host if host is None else host,
                settings.server.port if port is None else port,
            )
            listener = stack.enter_context(closing(await asyncio.to_thread(listen, *address)))
            url = resolve(settings.store.url, environment)
            store = await stack.enter_async_context(await Store.open(url, project=project))
            ring = KeyRing(store)
            await ring.refresh()
            # The address is bound by now, but nobody who connects is listened to.
            check_host(address[0], has_keys=bool(settings.auth.keys) or ring.has_keys)
            # Nothing runs yet, so what the store calls running was left by a killed process.
            await store.end_interrupted_turns(Replies().failed)
            metrics = Metrics(supervisor)
            supervisor.observe(metrics)
            supervisor.observe(PluginObserver(supervisor.generations))
            await supervisor.begin(
                store,
                history=StoreHistory(store),
                allowed=partial(_refuse_exposure, address[0], ring),
            )
            runtime = Runtime(
                supervisor.generations,
                store,
                observer=metrics,
                project=project,
                environment=environment,
            )
            await runtime.switches.load()
            runtime.people.listen(metrics.people)
            await runtime.people.start()
            await runtime.breakers.load()
            metrics.watch(runtime.breakers)
            alerter = Alerter(WebhookSender(partial(_webhook, runtime, environment)))
            alerter.begin(runtime.breakers)
            # From here on the runtime closes what is open, and the server the socket.
            stack.pop_all()
        app = create_app(runtime, supervisor=supervisor, metrics=metrics, ring=ring)
        # What is there now stays to the end, so the garbage collector need not look at it again.
        gc.collect()
        gc.freeze()
        await _run(
            Server(app),
            listener,
            runtime=runtime,
            supervisor=supervisor,
            alerter=alerter,
            told=told,
            systemd=Systemd(environment, supervisor),
            on_ready=on_ready,
        )


def _refuse_exposure(host: str, ring: KeyRing, snapshot: Snapshot) -> Iterable[Diagnostic]:
    """A finding if the configuration would take the last key from a service that others reach."""
    try:
        check_host(host, has_keys=bool(snapshot.settings.auth.keys) or ring.has_keys)
    except CannotListen as error:
        yield Diagnostic("ILK-R004", str(error), Location("interlock.yaml"), where="auth.keys")


def _webhook(runtime: Runtime, environment: Mapping[str, str]) -> Target | None:
    """Where the active configuration sends alerts."""
    generation = runtime.generation
    return webhook_target(generation.snapshot.settings.alerts.webhook, generation, environment)


async def _run(
    server: Server,
    listener: socket.socket,
    *,
    runtime: Runtime,
    supervisor: Supervisor,
    alerter: Alerter,
    told: Told,
    systemd: Systemd,
    on_ready: Callable[[str], None],
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    changing = asyncio.gather(supervisor.follow(), follow_signals(told.reload, supervisor, systemd))
    try:
        await _until(server.ready, serving)
        if server.ready.is_set():
            supervisor.observe(systemd)
            systemd.ready()
            on_ready(url_of(listener))
            await _until(told.stop, serving)
    finally:
        systemd.stopping()
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)
        try:
            await supervisor.close()
            # The server goes on meanwhile: to answer running turns, and to say no to new ones.
            drain = supervisor.active.settings.server.drain_timeout
            await runtime.close(drain_seconds=drain.total_seconds())
            await alerter.close()
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
