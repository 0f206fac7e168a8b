"""Who is told that a person is needed, and what people do from a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from interlock.webhooks.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.e2e.people.world import do, is_done, only_approval, project, texts, world
from tests.e2e.support.shop import effects


async def interlock(url: str, *arguments: str) -> tuple[int, str]:
    """How a command ended and what it said."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "interlock.cli.main", *arguments, "--url", url),
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, out.decode()


async def test_a_webhook_hears_of_escalations_and_approvals_signed(tmp_path: Path) -> None:
    got: asyncio.Queue[Any] = asyncio.Queue()
    refusals = [503]

    async def receive(request: web.Request) -> web.Response:
        body, stamp = await request.read(), request.headers[TIMESTAMP_HEADER]
        genuine = request.headers[SIGNATURE_HEADER] == sign("s3", stamp, body)
        if refusals:
            return web.Response(status=refusals.pop())
        await got.put((genuine, json.loads(body)))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        settings = f"people: {{webhook: {{url: '{url}', secret: {{env: HOOK, default: s3}}}}}}"
        source = project("escalation: {sla: 10ms}", settings=settings)
        async with world(tmp_path, source) as stack:
            await stack.ask("return it")
            turn = await stack.ask("person please")
            heard = [await asyncio.wait_for(got.get(), 30) for _ in range(3)]
        assert all(genuine for genuine, _ in heard)
        assert [notice["type"] for _, notice in heard] == [
            *("approval.pending", "escalation.opened", "escalation.overdue")
        ]
        assert heard[0][1]["approval"]["input"]["order_id"] == "ORD-1002"
        assert heard[1][1]["escalation"]["id"] == turn.answer["escalation"]["id"]
    finally:
        await runner.cleanup()


async def test_people_work_from_a_terminal(tmp_path: Path) -> None:
    async with world(tmp_path) as stack:
        client = stack.service.client
        url = str(client._base_url)
        conversation = await stack.service.open()
        await stack.say(conversation, "return it")
        approval = await only_approval(client)
        listed, shown = await asyncio.gather(
            interlock(url, "approvals", "list"),
            interlock(url, "approvals", "show", approval["id"]),
        )
        assert approval["id"] in listed[1]
        assert "CUST-1001" in shown[1]
        assert '"order_id": "ORD-1002"' in shown[1]
        status, said = await interlock(url, "approvals", "approve", approval["id"])
        assert (status, "is approved" in said) == (0, True)
        await is_done(client, approval["id"])
        assert await effects(stack.shop) == {"returns": 1}
        status, said = await interlock(url, "approvals", "deny", approval["id"])
        assert (status, "already_decided" in said) == (1, True)
        turn = await stack.say(conversation, "person please")
        escalation = turn.answer["escalation"]["id"]
        status, said = await interlock(url, "escalations", "list")
        assert (status, escalation in said) == (0, True)
        assert (await interlock(url, "escalations", "claim", escalation))[0] == 0
        assert (await interlock(url, "escalations", "reply", escalation, "Hello there"))[0] == 0
        assert (await texts(client, conversation))[-1] == ("person", "Hello there")
        status, said = await interlock(url, "escalations", "show", escalation)
        assert (status, "Hello there" in said) == (0, True)
        back = ("escalations", "hand-back", escalation, "--note", "be kind")
        assert (await interlock(url, *back))[0] == 0
        assert (await do(client, f"/v1/escalations/{escalation}/claim"))[0] == 409
