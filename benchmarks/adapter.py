"""What is measured: something that opens conversations, each of which answers texts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from anthropic import AsyncAnthropic, DefaultAioHttpClient
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam

from interlock.config.source import read_tree
from interlock.reload.generation import build
from interlock.reload.generations import Generations
from interlock.runtime import Runtime
from interlock.store.store import Store

__all__ = ["ADAPTERS", "PROJECT", "Adapter", "Ask"]

PROJECT = Path(__file__).parent / "project"

Ask = Callable[[str], Awaitable[str]]
"""One conversation: from the customer's text to the answer."""

Open = Callable[[], Awaitable[Ask]]
Adapter = Callable[[str], AbstractAsyncContextManager[Open]]
"""From the model server's URL to what opens conversations."""

_SYSTEM = (
    "You are the support agent of an online shop. Look up the order before you answer, never guess"
    " a delivery date, and never promise a refund. Answer in two sentences at most. "
) + "Policy: be friendly, be brief, and never repeat personal data that a tool returned. " * 10
_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"order_id": {"type": "string", "description": "Order id, such as A-1001"}},
    "required": ["order_id"],
    "additionalProperties": False,
}
_TOOLS: list[ToolParam] = [
    {
        "name": "get_order_status",
        "description": "Look up the current status of a customer's order by its id.",
        "input_schema": _SCHEMA,
    },
    {
        "name": "get_shipping_status",
        "description": "Look up where the parcel of an order is, with its expected arrival.",
        "input_schema": _SCHEMA,
    },
]
_RESULT = '{"status": "shipped", "notes": "' + "x" * 980 + '"}'


@asynccontextmanager
async def bare_sdk(model_url: str) -> AsyncIterator[Open]:
    """The SDK's documented loop, with its defaults and with nothing around it."""
    async with AsyncAnthropic(base_url=model_url, api_key="bench") as client:
        yield lambda: _open_loop(client)


@asynccontextmanager
async def bare_sdk_aiohttp(model_url: str) -> AsyncIterator[Open]:
    """The same loop on the faster transport."""
    http_client = DefaultAioHttpClient()
    async with AsyncAnthropic(
        base_url=model_url, api_key="bench", http_client=http_client
    ) as client:
        yield lambda: _open_loop(client)


async def _open_loop(client: AsyncAnthropic) -> Ask:
    messages: list[MessageParam] = []

    async def ask(text: str) -> str:
        messages.append({"role": "user", "content": text})
        while True:
            reply = await client.messages.create(
                model="claude-sonnet-4-5",
                max_tokens=1024,
                system=_SYSTEM,
                tools=_TOOLS,
                messages=messages,
            )
            messages.append({"role": "assistant", "content": reply.content})
            if reply.stop_reason != "tool_use":
                return "".join(block.text for block in reply.content if block.type == "text")
            results: list[ToolResultBlockParam] = [
                {"type": "tool_result", "tool_use_id": block.id, "content": _RESULT}
                for block in reply.content
                if block.type == "tool_use"
            ]
            messages.append({"role": "user", "content": results})

    return ask


@asynccontextmanager
async def interlock(model_url: str) -> AsyncIterator[Open]:
    """Interlock in this process: limits, budget, guardrails, trace and ledger into SQLite."""
    with TemporaryDirectory() as folder:
        generation = build(read_tree(PROJECT), {"BENCH_MODEL_URL": model_url})
        store = await Store.open(f"sqlite:///{folder}/bench.db", project=Path(folder))
        await store.save_snapshot(generation.snapshot.digest, generation.snapshot.files)
        runtime = Runtime(Generations(generation), store)
        try:
            yield lambda: _open_conversation(runtime)
        finally:
            await runtime.close(drain_seconds=5)


async def _open_conversation(runtime: Runtime) -> Ask:
    conversation = await runtime.create_conversation("support", customer_id="C-1", session={})

    async def ask(text: str) -> str:
        return (await runtime.send(conversation.id, text)).result.reply

    return ask


ADAPTERS: dict[str, Adapter] = {
    "bare SDK": bare_sdk,
    "bare SDK, aiohttp": bare_sdk_aiohttp,
    "Interlock": interlock,
}
