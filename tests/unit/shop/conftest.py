import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from examples.shop.server import ShopServer
from tests.unit.shop.client import Shop, run_shop, run_shop_in_thread


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop of the test's own."""
    async with run_shop(tmp_path / "shop.sqlite") as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ShopServer]]:
    """A server for all tests without effects, which is checked at the end."""
    with run_shop_in_thread(tmp_path_factory.mktemp("shop") / "shop.sqlite") as (url, server):
        yield url, server
        with urllib.request.urlopen(url + "/stats") as response:
            assert set(json.load(response).values()) == {0}


@pytest.fixture
async def shared_shop(shared_server: tuple[str, ShopServer]) -> AsyncIterator[Shop]:
    """A shop that other tests use too: look at it, do not change it."""
    url, server = shared_server
    async with aiohttp.ClientSession() as session:
        yield Shop(url=url, server=server, session=session)
