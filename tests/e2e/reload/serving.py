"""`interlock serve` as a real process, with all that can be seen of it from outside."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_SECONDS = 60
_COMMAND = (sys.executable, "-m", "interlock.cli.main")
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_LONG = "x" * 200
"""A message that the agent's guardrail refuses, so that no model is needed for an answer."""


class Serving:
    """A service that runs."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        url: str,
        log: Path,
        client: aiohttp.ClientSession,
    ) -> None:
        self.process = process
        self.url = url
        self._log = log
        self._client = client

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    async def stop(self) -> int:
        """Tells it to end, and gives its exit status."""
        self.send(signal.SIGTERM)
        async with asyncio.timeout(_SECONDS):
            return await self.process.wait()

    async def get(self, path: str, *, status: int = 200) -> Any:
        """What is at a path."""
        async with self._client.get(path) as answer:
            assert answer.status == status, await answer.text()
            if answer.content_type == "text/plain":
                return await answer.text()
            return await answer.json(content_type=None)

    async def post(
        self, path: str, body: object, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the document that answer a request."""
        async with self._client.post(path, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def open(self, agent: str = "support") -> str:
        """The id of a new conversation."""
        body = {"agent": agent, "customerId": "C-1"}
        status, opened = await self.post("/v1/conversations", body)
        assert status == 201, opened
        return str(opened["id"])

    async def say(self, text: str, *, conversation: str | None = None) -> Any:
        """The answer to a message, in a new conversation if none is named."""
        path = f"/v1/conversations/{conversation or await self.open()}/messages"
        status, answer = await self.post(path, {"text": text})
        assert status == 200, answer
        return answer

    async def refusal(self) -> str:
        """What the agent refuses a message with: the text that `Project.describe` edits."""
        answer = await self.say(_LONG)
        assert answer["outcome"] == "refused"
        return str(answer["reply"])

    async def config(self) -> Any:
        """The state of the configuration."""
        return await self.get("/v1/config")

    async def health(self) -> Any:
        """The state of the service."""
        return await self.get("/v1/health")

    async def metric(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if there is no such series yet."""
        text = await self.get("/metrics")
        marks = ",".join(f'{key}="{value}"' for key, value in labels.items())
        series = f"interlock_{name}" + (f"{{{marks}}}" if marks else "")
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def active(self, digest: str) -> Any:
        """Waits until a configuration is active; the state of the configuration then."""

        async def is_active() -> bool:
            return bool((await self.config())["active"]["digest"] == digest)

        await until(is_active)
        return await self.config()

    async def rejected(self) -> Any:
        """Waits until a configuration is rejected; what was wrong with it."""

        async def is_rejected() -> bool:
            return (await self.config())["rejected"] is not None

        await until(is_rejected)
        return (await self.config())["rejected"]


@asynccontextmanager
async def serving(
    project: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    key: str | None = None,
    meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]] | None = None,
) -> AsyncIterator[Serving]:
    """The service of a project, once it answers; killed at the end if it still runs.

    `meanwhile` is what happens to the process while it starts.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    log = project.with_name(f"{project.name}.log")
    with log.open("w") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*_COMMAND, "serve", str(project), "--port", "0", *arguments),
            env={**kept, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdout is not None
    happening = None if meanwhile is None else asyncio.create_task(_happen(meanwhile, process))
    try:
        async with asyncio.timeout(_SECONDS):
            said = (await process.stdout.readline()).decode()
        assert "listening on http://" in said, log.read_text()
        url = next(word.rstrip(",") for word in said.split() if word.startswith("http://"))
        url = url.replace("0.0.0.0", "127.0.0.1")
        headers = {"authorization": f"Bearer {key}"} if key else None
        async with aiohttp.ClientSession(url, headers=headers) as client:
            yield Serving(process, url, log, client)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if happening is not None:
            await happening
        # Its pipe is closed when the transport has seen the end of it.
        await process.stdout.read()


async def _happen(
    meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]],
    process: asyncio.subprocess.Process,
) -> None:
    try:
        await meanwhile(process)
    except ProcessLookupError:
        # It has ended meanwhile.
        return


async def interlock(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Runs another command to its end: exit code, output, errors."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(*_COMMAND, *arguments),
        cwd=cwd,
        env=kept,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_SECONDS):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def until(ask: Callable[[], Awaitable[bool]]) -> None:
    """Asks until the answer is yes; fails after a while."""
    async with asyncio.timeout(_SECONDS):
        while not await ask():
            await _others_work()


async def _others_work() -> None:
    await asyncio.sleep(0.01)
