"""A shop whose agent has to ask a person, and what people do over the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp

from interlock.config.source import Source
from interlock.service.keys import new_key
from tests.e2e.support.project import ACTIONS, PLANS, STEP, small_project
from tests.e2e.support.stack import Stack, run_stack

RULES = (
    f"""
  - name: plan a person
    when: {{format: plan, user: '^person'}}
    reply: {{json: {{steps: [{STEP % ("escalate", "Call somebody.")}]}}}}
  - name: summarise
    when: {{system: 'A colleague takes this conversation over'}}
    reply: {{text: 'The customer is angry about a broken kettle.'}}
  - name: call a person
    when: {{user: '^person', offered: [call_a_person]}}
    reply: {{tools: [{{name: call_a_person, input: {{reason: the customer asks for one}}}}]}}
  - name: tell the decision
    when: {{format: none, user: '^<decision'}}
    reply: {{text: 'Decided: {{{{ result("create_return") }}}}'}}
"""
    + PLANS
    + ACTIONS
)

APPROVAL = "approval: {when: '{{ input.order_id == \"ORD-1002\" }}', why: Look at the goods.%s}"
_KEY = "idempotency: {header: Idempotency-Key, key: [order_id, items]}"


def project(
    agent: str = "", *, approval: str | None = "", settings: str = "", idempotent: bool = True
) -> Source:
    """The small project; returns of ORD-1002 wait, unless `approval` is None."""
    files = dict(small_project(agent).files)
    tools = files["tools.d/shop.yaml"].decode()
    lines = _KEY if idempotent else ""
    if approval is not None:
        lines += "\n" + APPROVAL % approval
    files["tools.d/shop.yaml"] = tools.replace(_KEY, lines).encode()
    files["interlock.yaml"] += f"\n{settings}\n".encode()
    return Source(MappingProxyType(files))


def keys(*names: str) -> tuple[str, dict[str, str]]:
    """The settings of API keys with these names, and the keys by name."""
    made = {name: new_key() for name in names}
    entries = ", ".join(f"{{name: {name}, sha256: {sha}}}" for name, (_, sha) in made.items())
    return f"auth: {{keys: [{entries}]}}", {name: key for name, (key, _) in made.items()}


@asynccontextmanager
async def world(folder: Path, source: Source | None = None) -> AsyncIterator[Stack]:
    """The service, the shop and the simulator."""
    async with run_stack(project() if source is None else source, RULES, folder) as stack:
        yield stack


async def do(
    client: aiohttp.ClientSession, path: str, body: Any = None, *, key: str | None = None
) -> tuple[int, Any]:
    """The status and the document that answer a POST."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with client.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def read(client: aiohttp.ClientSession, path: str, *, key: str | None = None) -> Any:
    """The document at a path."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def texts(client: aiohttp.ClientSession, conversation: str) -> list[tuple[str, str]]:
    """Who said what, as the customer sees it."""
    messages = (await read(client, f"/v1/conversations/{conversation}"))["messages"]
    return [(message["role"], message["text"]) for message in messages]


async def until(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The first answer that is true; fails after a while."""
    async with asyncio.timeout(30):
        while not (found := await ask()):
            pass
        return found


async def is_done(client: aiohttp.ClientSession, approval: str) -> Any:
    """The approval, once what was decided has been carried out and told."""

    async def ask() -> Any:
        found = await read(client, f"/v1/approvals/{approval}")
        return found if found["state"] == "done" else None

    return await until(ask)


async def only_approval(client: aiohttp.ClientSession) -> Any:
    """The one approval that there is."""
    (found,) = (await read(client, "/v1/approvals"))["approvals"]
    return found
