"""A tool whose service is down is not called any more, and is called again when it works."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.breakers.project import RULES, breaker, metrics, project
from tests.e2e.breakers.webhook import Webhook
from tests.e2e.support.shop import struck, watch
from tests.e2e.support.stack import run_stack

NAME, KEY = "tool.get_order", "tools.get_order.breaker"


async def test_a_tool_breaker_opens_probes_and_closes(tmp_path: Path, webhook: Webhook) -> None:
    source = project("", webhook, breaker="{minCalls: 2, openFor: 1ms, maxOpenFor: 1h}")
    async with run_stack(source, RULES, tmp_path) as stack:
        await stack.shop.arm("orders", kind="503")
        for _ in range(2):
            turn = await stack.ask("look up my order")
            assert turn.ending == ("incomplete", "tool_failed")
        (event,) = turn.of("breaker")
        assert (event["breaker"], event["limit"]) == (NAME, KEY)
        assert event["detail"] == "open: 2 of 2 calls failed"
        assert (await breaker(stack, NAME))["state"] == "open"
        alert = await webhook.next(NAME)
        assert (alert["state"], alert["key"]) == ("firing", KEY)

        # Its time is over at once; the probe fails, and it is open again.
        again = await stack.ask("look up my order")
        assert "still failed" in again.of("breaker")[0]["detail"]
        await stack.shop.send("DELETE", "/faults")
        turn = await stack.ask("look up my order")
        assert turn.ending == ("resolved", "end_turn")
        assert turn.of("breaker")[0]["detail"] == "closed: it worked when it was probed"
        recovered = await webhook.next(NAME)
        assert recovered["state"] == "resolved"
        assert webhook.alerts.empty()
        found = await metrics(stack)
        assert found[f'interlock_breaker_state{{breaker="{NAME}"}}'] == 0
        assert found[f'interlock_breaker_trips_total{{breaker="{NAME}"}}'] == 2


async def test_while_it_is_open_the_service_is_left_alone(tmp_path: Path, webhook: Webhook) -> None:
    source = project("", webhook, breaker="{minCalls: 2, openFor: 1h, maxOpenFor: 1h}")
    async with run_stack(source, RULES, tmp_path) as stack:
        await stack.shop.arm("orders", kind="503")
        for _ in range(2):
            await stack.ask("look up my order")
        await watch(stack.shop, "orders")
        turn = await stack.ask("look up my order")
        assert turn.ending == ("incomplete", "tool_failed")
        (result,) = turn.results()
        assert (result["status"], result["attempts"], result["retryable"]) == ("error", 0, False)
        assert "do not retry" in result["message"]
        assert await struck(stack.shop, "orders") == 0
        assert [event["detail"] for event in turn.of("breaker")] == ["open: not called"]


async def test_requests_that_make_no_sense_open_no_breaker(
    tmp_path: Path, webhook: Webhook
) -> None:
    source = project("", webhook, breaker="{minCalls: 1, errorRate: 0.1, openFor: 1h}")
    async with run_stack(source, RULES, tmp_path) as stack:
        # Another customer's order: the shop says no, which is an answer.
        turn = await stack.ask("look up my order", customer="CUST-1002")
        assert turn.results()[0]["status"] in ("error", "not_found")
        assert (await breaker(stack, NAME))["state"] == "closed"
