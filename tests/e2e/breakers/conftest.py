from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.breakers.webhook import Webhook, run_webhook


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    async with run_webhook() as webhook:
        yield webhook
