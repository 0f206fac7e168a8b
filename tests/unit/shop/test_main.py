import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def run_command(database: Path, stop: signal.Signals) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.shop", "--port", "0", "--database", str(database)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        assert line.startswith("shop listening on http://127.0.0.1:")
        yield line.removeprefix("shop listening on ").strip()
    finally:
        process.send_signal(stop)
        rest, errors = await process.communicate()
    assert (rest, errors) == (b"", b"")
    assert process.returncode == (0 if stop is signal.SIGINT else -stop)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_command_announces_its_address_and_keeps_its_data_however_it_ends(
    tmp_path: Path, stop: signal.Signals
) -> None:
    database = tmp_path / "shop.sqlite"
    note = {"customer_id": "CUST-1001", "note": "x"}
    async with (
        run_command(database, stop) as url,
        aiohttp.ClientSession() as session,
        session.post(url + "/crm/notes", json=note) as response,
    ):
        assert response.status == 201
    async with (
        run_command(database, stop) as url,
        aiohttp.ClientSession() as session,
        session.get(url + "/stats") as response,
    ):
        assert (await response.json())["notes"] == 1
