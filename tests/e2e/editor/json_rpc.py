"""JSON-RPC with a child process over its stdin and stdout, framed as the LSP wants it."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

__all__ = ["Connection", "connected"]

Answer = Callable[[str, Any], Any]
"""Gives the result of a request that the process makes, from its method and parameters."""
Hear = Callable[[str, Any], None]
"""Takes a notification of the process: its method and parameters."""

_SECONDS = 60


class Connection:
    """Requests to a process, and its own requests and notifications to us."""

    def __init__(self, process: Process, *, answer: Answer, hear: Hear) -> None:
        self._process = process
        self._answer = answer
        self._hear = hear
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}

    async def request(self, method: str, parameters: Any) -> Any:
        """The result of a request; an error of the process is a `RuntimeError`."""
        number = next(self._ids)
        self._pending[number] = asyncio.get_running_loop().create_future()
        await self._send({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_SECONDS):
            return await self._pending[number]

    async def notify(self, method: str, parameters: Any) -> None:
        """Tells the process something that has no result."""
        await self._send({"method": method, "params": parameters})

    async def listen(self) -> None:
        """Takes what the process says until it ends; then open requests fail."""
        try:
            while (message := await self._receive()) is not None:
                await self._take(message)
        finally:
            for waiting in self._pending.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError("the process has ended"))

    async def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            waiting = self._pending[message["id"]]
            if "error" in message:
                waiting.set_exception(RuntimeError(message["error"]["message"]))
            else:
                waiting.set_result(message["result"])
        elif "id" in message:
            result = self._answer(message["method"], message.get("params"))
            await self._send({"id": message["id"], "result": result})
        else:
            self._hear(message["method"], message.get("params"))

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await self._process.stdin.drain()

    async def _receive(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        length = 0
        while line := (await self._process.stdout.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            return None
        message: dict[str, Any] = json.loads(await self._process.stdout.readexactly(length))
        return message


@asynccontextmanager
async def connected(
    command: Sequence[str], *, answer: Answer, hear: Hear
) -> AsyncIterator[Connection]:
    """Runs `command` and talks to it; ends it afterwards."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    connection = Connection(process, answer=answer, hear=hear)
    listening = asyncio.create_task(connection.listen())
    try:
        yield connection
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening
