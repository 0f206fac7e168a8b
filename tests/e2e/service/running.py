"""The service under test: in this process, or as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from interlock.service.lifecycle import serve

_SECONDS = 30
_PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from interlock.service.lifecycle import serve
asyncio.run(serve(Path(sys.argv[1]), os.environ, on_ready=lambda url: print(url, flush=True)))
"""

Client = aiohttp.ClientSession


@asynccontextmanager
async def serving(
    project: Path, environment: Mapping[str, str], *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """A client of the service, which runs in this event loop and is drained afterwards."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(project, environment, on_ready=ready.set_result))
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        async with aiohttp.ClientSession(await ready, headers=headers) as client:
            yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Process:
    """The service as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self._process = process

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    async def exit_status(self) -> int:
        """How it ended; negative for a signal."""
        async with asyncio.timeout(_SECONDS):
            return await self._process.wait()


@asynccontextmanager
async def process(project: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """The service, ready; killed afterwards if it still runs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        str(project),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(_SECONDS):
            url = (await child.stdout.readline()).decode().strip()
        assert url.startswith("http://")
        yield Process(child, url)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        # Its pipe is closed when the transport has seen the end of it.
        assert child.stdout is not None
        await child.stdout.read()


async def open_conversation(client: Client) -> str:
    """The id of a new conversation with the agent."""
    body = {"agent": "support", "customerId": "C-1"}
    async with client.post("/v1/conversations", json=body) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def send(client: Client, conversation: str, text: str) -> tuple[int, Any]:
    """The status and the body of the answer to a message."""
    path = f"/v1/conversations/{conversation}/messages"
    async with client.post(path, json={"text": text}) as answer:
        return answer.status, await answer.json(content_type=None)


async def get(client: Client, path: str) -> Any:
    """What is at a path."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def until(ask: Callable[[], Awaitable[bool]]) -> None:
    """Asks the service until the answer is yes; fails after a while."""
    async with asyncio.timeout(_SECONDS):
        while not await ask():
            pass
