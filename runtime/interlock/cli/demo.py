"""`interlock demo`: three real conversations against the example shop."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from interlock.cli.demo_processes import DemoFailed, start, stop
from interlock.cli.trace_tree import trace_tree
from interlock.model.base import JsonObject
from interlock.model.event import TraceEvent

__all__ = ["demo"]

_REAL_API = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True)
class _Scene:
    title: str
    customer: str
    text: str
    fault: str | None = None
    """The shop's endpoint that answers 503 meanwhile."""


_SCENES = (
    _Scene("A frequent question takes the fast path", "CUST-1001", "Where is my order ORD-1001?"),
    _Scene(
        "A return needs a plan, a look-up and a change",
        "CUST-1001",
        "I want to return the kettle from order ORD-1002, it leaks.",
    ),
    _Scene(
        "The shipping service is down, and the answer says so",
        "CUST-1002",
        "When will the parcel of my order ORD-1011 arrive?",
        fault="shipments",
    ),
)


def demo(
    project: Annotated[
        Path, typer.Argument(help="Interlock's repository.", file_okay=False)
    ] = Path(),
    stop_only: Annotated[
        bool, typer.Option("--stop", help="Stop what an earlier demo left running.")
    ] = False,
    leave: Annotated[
        bool, typer.Option(help="Leave the shop, the simulator and the service running.")
    ] = True,
) -> None:
    """Holds three real conversations with the example shop, with no key and no network."""
    console = Console(highlight=False, soft_wrap=True)
    project = project.resolve()
    if not (project / "examples" / "shop").is_dir():
        raise DemoFailed(
            f"there is no examples/shop in {project}; run the demo in a clone of"
            " Interlock's repository, or make a project of your own with: interlock init FOLDER"
        )
    asyncio.run(_stop(console, project) if stop_only else _demo(console, project, leave=leave))


async def _stop(console: Console, project: Path) -> None:
    stopped = await stop(_folder(project))
    console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


async def _demo(console: Console, project: Path, *, leave: bool) -> None:
    folder = _folder(project)
    await stop(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        shop, service = await _start(console, project, folder)
        async with aiohttp.ClientSession() as client:
            for number, scene in enumerate(_SCENES, 1):
                await _play(console, client, shop, service, number, scene)
    except BaseException:
        await stop(folder)
        raise
    if leave:
        _say_what_runs(console, shop, service, folder)
    else:
        await stop(folder)


def _folder(project: Path) -> Path:
    return project / "var" / "demo"


async def _start(console: Console, project: Path, folder: Path) -> tuple[str, str]:
    database = str(folder / "shop.db")
    shop_command = ["-m", "examples.shop", "--port", "0", "--database", database]
    shop = await start(folder, "shop", shop_command, {"PYTHONPATH": str(project)})
    console.print(f"the shop        {shop}")
    environment = {
        "SHOP_URL": shop,
        "INTERLOCK_STORE_URL": f"sqlite:///{folder / 'interlock.db'}",
    }
    if os.environ.get("ANTHROPIC_API_KEY"):
        environment["INTERLOCK_MODEL_URL"] = os.environ.get("INTERLOCK_MODEL_URL", _REAL_API)
        console.print(f"the models      {environment['INTERLOCK_MODEL_URL']} (the real API)")
    else:
        rules = str(project / "examples" / "shop" / "sim.yaml")
        sim_command = ["-m", "interlock.cli.main", "sim", rules, "--port", "0"]
        environment["INTERLOCK_MODEL_URL"] = await start(folder, "simulator", sim_command, {})
        environment["ANTHROPIC_API_KEY"] = "simulator"
        console.print(f"the models      {environment['INTERLOCK_MODEL_URL']} (a simulator)")
    serve_command = ["-m", "interlock.cli.main", "serve", str(project), "--port", "0"]
    service = await start(folder, "service", serve_command, environment)
    console.print(f"Interlock       {service}")
    return shop, service


async def _play(
    console: Console,
    client: aiohttp.ClientSession,
    shop: str,
    service: str,
    number: int,
    scene: _Scene,
) -> None:
    console.rule(f"{number}. {scene.title}", style="cyan")
    if scene.fault is not None:
        await _request(client, "PUT", f"{shop}/faults/{scene.fault}", {"kind": "503"})
        console.print(f"[dim]the shop's endpoint '{scene.fault}' now answers 503[/dim]")
    opening = {"agent": "support", "customerId": scene.customer}
    conversation = await _request(client, "POST", f"{service}/v1/conversations", opening)
    messages = f"{service}/v1/conversations/{conversation['id']}/messages"
    console.print(f"[bold]customer[/bold]  {scene.text}")
    answer = await _request(client, "POST", messages, {"text": scene.text})
    console.print("[bold]Interlock[/bold] ", end="")
    console.print(answer["reply"], markup=False)
    trace = await _request(client, "GET", f"{service}/v1/turns/{answer['turnId']}/trace")
    console.print(trace_tree([_event(view) for view in trace["events"]]))
    if scene.fault is not None:
        await _request(client, "DELETE", f"{shop}/faults/{scene.fault}")


def _event(view: JsonObject) -> TraceEvent:
    cost = view["costUsd"]
    return TraceEvent.from_json({**view, "costNano": cost and int(Decimal(cost).scaleb(9))})


async def _request(
    client: aiohttp.ClientSession, method: str, url: str, body: Mapping[str, Any] | None = None
) -> Any:
    async with client.request(method, url, json=body) as response:
        if response.status >= 400:
            raise DemoFailed(f"{method} {url} answered {response.status}: {await response.text()}")
        return await response.json() if response.status != 204 else None


def _say_what_runs(console: Console, shop: str, service: str, folder: Path) -> None:
    console.rule("Everything is left running; go on by yourself", style="cyan")
    open_one = (
        f"curl -s {service}/v1/conversations -H 'content-type: application/json'"
        ' -d \'{"agent": "support", "customerId": "CUST-1001"}\''
    )
    send_one = (
        f"curl -s {service}/v1/conversations/CONVERSATION_ID/messages"
        " -H 'content-type: application/json' -d '{\"text\": \"Where is my order ORD-1003?\"}'"
    )
    console.print(f"open a conversation:  {open_one}", markup=False)
    console.print(f"send a message:       {send_one}", markup=False)
    console.print(f"read a trace:         curl -s {service}/v1/turns/TURN_ID/trace", markup=False)
    console.print(f"the shop's faults:    curl -s {shop}/faults", markup=False)
    console.print(f"logs and databases:   {folder}", markup=False)
    console.print("stop everything:      make stop", markup=False)
