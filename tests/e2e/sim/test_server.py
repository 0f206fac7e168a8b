"""The simulator as a server: in a test's own loop, and as a process."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from pathlib import Path

import httpx2
import pytest

from interlock.sim import SimServer, create_app, parse_rules, serve

RULES = parse_rules(
    b"rules: [{name: slow, when: {user: slow}, fault: hang}, {name: ok, reply: {text: Hi}}]",
    "sim.yaml",
)
KEY = {"x-api-key": "k"}


def request(text: str) -> dict[str, object]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": text}],
    }


async def test_a_server_tells_what_it_was_asked() -> None:
    async with SimServer(RULES) as sim, httpx2.AsyncClient(base_url=sim.base_url) as client:
        await client.post("/v1/messages", headers=KEY, json=request("Hello"))
        about = await client.get("/")
        newest = (await client.get("/requests?last=1")).json()["requests"]
        stats = (await client.get("/stats")).json()

    assert about.text.startswith("This is the Interlock simulator")
    assert newest[0]["body"]["messages"][0]["content"] == "Hello"
    assert stats["by_rule"] == {"ok": 1}


async def test_two_servers_run_side_by_side() -> None:
    async with SimServer(RULES) as one, SimServer(RULES) as two:
        assert one.base_url != two.base_url
        async with httpx2.AsyncClient() as client:
            for sim in (one, two):
                assert (await client.get(f"{sim.base_url}/healthz")).json() == {"status": "ok"}


async def test_leaving_ends_open_requests_and_stops_listening() -> None:
    async with SimServer(RULES) as sim:
        port = int(sim.base_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(request("slow")).encode()
        writer.write(
            b"POST /v1/messages HTTP/1.1\r\nhost: sim\r\nx-api-key: k\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await writer.drain()
        # A later answer on another connection tells that the request has arrived.
        async with httpx2.AsyncClient(base_url=sim.base_url) as client:
            await client.get("/healthz")

    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await serve(create_app(RULES), port=taken.getsockname()[1])


SCRIPT = """
import asyncio, sys
from interlock.sim import create_app, parse_rules, serve
rules = parse_rules(b"rules: [{name: ok, reply: {text: Hi}}]", "sim.yaml")
asyncio.run(serve(create_app(rules), port=int(sys.argv[1])))
"""


async def test_a_process_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, str(port), cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    try:
        transport = httpx2.AsyncHTTPTransport(retries=8)
        async with httpx2.AsyncClient(transport=transport, timeout=30) as client:
            url = f"http://127.0.0.1:{port}/v1/messages"
            answer = await client.post(url, headers=KEY, json=request("Hello"))
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert answer.json()["content"] == [{"type": "text", "text": "Hi"}]
    assert errors == b""
    assert process.returncode in (0, -signal.SIGTERM)
