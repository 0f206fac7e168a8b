from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.unit.service.fakes import FakeRuntime, client_of, make_runtime


@pytest.fixture
def runtime() -> FakeRuntime:
    return make_runtime()


@pytest.fixture
async def client(runtime: FakeRuntime) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(runtime) as client:
        yield client
