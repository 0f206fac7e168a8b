"""A task as benchmarks have them, carried out by the tools that `docs/outside-tools.md` shows."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.testing import Call, Said, run_project
from tests.unit.docs.test_examples import blocks

PAGE = "docs/outside-tools.md"


def shown() -> dict[str, str]:
    """The page's own files, for a model that follows a script and with no server."""
    files = {block.target: block.text for block in blocks(PAGE) if block.kind == "file"}
    agent = files["agents.d/retail.yaml"]
    for name in ("haiku", "sonnet"):
        agent = agent.replace(name, "scripted")
    files["agents.d/retail.yaml"] = agent
    files["tools.d/products.yaml"] = files["tools.d/products.yaml"].replace(
        "{{ env.SHOP_URL }}", "http://127.0.0.1:9"
    )
    return files


async def work(calls: Sequence[Call]) -> Said:
    async with run_project(shown(), replies=[*calls, "All done."]) as harness:
        return await harness.say("Please do it all.", agent="retail")


def look(number: int) -> Call:
    return Call("get_order_details", {"order_id": f"#W{number}"})


def cancel(number: int) -> Call:
    call = {"order_id": f"#W{number}", "reason": "no longer needed"}
    return Call("cancel_pending_order", call, step="take_action")


async def test_fourteen_actions_with_expected_refusals_and_a_repeated_call_end_well() -> None:
    task = [
        *(look(9), look(1), cancel(1), cancel(2), look(2), look(1), cancel(4), look(3)),
        *(cancel(3), cancel(1), look(5), cancel(5), look(6), look(5)),
    ]
    assert len(task) == 14
    said = await work(task)
    assert (said.outcome, said.reason, said.reply) == ("resolved", "end_turn", "All done.")
    results = [event.data for event in said.events if event.type == "tool_result"]
    assert [result["status"] for result in results] == [
        *("error", "success", "success", "error", "success", "success", "error", "success"),
        *("success", "error", "success", "success", "success", "success"),
    ]
    refused = [result for result in results if result["status"] == "error"]
    assert {result["effect"] for result in refused} == {"none"}


async def test_an_exception_that_is_no_refusal_asks_a_person() -> None:
    unhashable = Call(
        "cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"}, "take_action"
    )
    files = shown()
    files["plugins/retail.py"] = files["plugins/retail.py"].replace(
        'order.update(status="cancelled", reason=reason)', "order.clear(), order['gone']"
    )
    async with run_project(files, replies=[unhashable, "Never said."]) as harness:
        said = await harness.say("Cancel #W1", agent="retail")
    assert (said.outcome, said.reason) == ("escalated", "unknown_effect")
