from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.guardrails.grounded import Grounded, GroundedSettings
from interlock.turn.guard import Evidence, GuardrailInput, NoJudge

PATTERNS = {"order": r"ORD-\d+", "tracking": r"1Z\w+"}
ORDER = {
    "id": "ORD-1001",
    "status": "shipped",
    "eta": "2026-11-26",
    "total": 1149.5,
    "feeCents": 499,
    "tracking": "1Z999AA1",
}


def customer(text: str) -> Evidence:
    return Evidence("customer", text)


def result(data: Any, *, tool: str = "get_order", **arguments: Any) -> Evidence:
    text = json.dumps({"status": "success", "data": data}, separators=(",", ":"))
    return Evidence("tool", text, tool, arguments=arguments)


def failed(tool: str = "get_shipping", **arguments: Any) -> Evidence:
    said = {"status": "error", "message": f"503 for {arguments}"}
    text = json.dumps(said, separators=(",", ":"))
    return Evidence("tool", text, tool, failed=True, arguments=arguments)


def missing(**arguments: Any) -> Evidence:
    said = {"status": "not_found", "message": f"no {arguments}"}
    text = json.dumps(said, separators=(",", ":"))
    return Evidence("tool", text, "get_order", arguments=arguments)


async def judged(answer: str, *evidence: Evidence, **settings: Any) -> str | None:
    guardrail = Grounded(GroundedSettings(patterns=PATTERNS, **settings))
    data = GuardrailInput("output", answer, session={"id": "ORD-7"}, evidence=evidence)
    decision = await guardrail.check(data, NoJudge())
    return None if decision is None else decision.message


@pytest.mark.parametrize(
    "answer",
    [
        "Your order ORD-1001 has shipped, tracking 1Z999AA1.",
        "ord-1001 costs $1,149.50, or 1.149,50 EUR, or 1149.5 dollars, and EUR 1'149.50.",
        "The fee is $4.99.",
        "It arrives on 2026-11-26, November 26, Nov. 26th, 2026, the 26th of November 2026.",
        "It arrives on 11/26/2026 or 26.11.2026.",
        "It arrives tomorrow, in 3 days, at 10:30, with 20 others.",
        "ORD-7 is yours too.",
    ],
)
async def test_what_a_tool_has_shown_may_be_said(answer: str) -> None:
    assert await judged(answer, customer("Where is it?"), result(ORDER)) is None


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("Your order ORD-1002 has shipped.", "order ORD-1002"),
        ("Your order ORD-100 has shipped.", "order ORD-100"),
        ("It costs $1,149.", "amount $1,149"),
        ("You get 26 EUR back.", "amount 26 EUR"),
        ("You get €\u00a020.26 back.", "amount €\u00a020.26"),
        ("You get fifty, I mean 50 dollars.", "amount 50 dollars"),
        ("It arrives on November 27.", "date November 27"),
        ("It arrives on 26 November 2027.", "date 26 November 2027"),
        ("It arrives on 27/11/2026.", "date 27/11/2026"),
        ("It arrives November 26-28.", "date November 26-28"),
    ],
)
async def test_what_nobody_has_shown_is_named(answer: str, named: str) -> None:
    message = await judged(answer, customer("Where is it?"), result(ORDER))
    assert message == f"neither the customer nor a tool result shows {named}"


async def test_every_value_is_named_once() -> None:
    message = await judged("ORD-5, ORD-5 and ORD-6 cost $5.")
    assert message is not None
    assert message.endswith("shows order ORD-5, order ORD-6, amount $5")


@pytest.mark.parametrize("said", ["ORD-9999", "my order ord 9999", "(ORD#9999)?", "ord9999"])
async def test_what_the_customer_wrote_may_be_repeated(said: str) -> None:
    assert await judged("I cannot find ORD-9999.", customer(said)) is None


async def test_an_earlier_answer_was_checked_when_it_was_sent() -> None:
    assert await judged("As I said, ORD-8.", Evidence("reply", "Your order is ORD-8.")) is None


@pytest.mark.parametrize("evidence", [failed(id="ORD-55"), missing(id="ORD-55")])
async def test_that_the_model_has_asked_for_an_id_shows_nothing(evidence: Evidence) -> None:
    assert "order ORD-55" in str(await judged("There is no ORD-55.", evidence))
    assert await judged("There is no ORD-55.", customer("ORD-55"), evidence) is None


async def test_the_terms_of_the_shop_may_be_allowed() -> None:
    assert await judged("Free above $50.", allow=("free above 50 USD",)) is None
    assert await judged("Free above $50.") is not None


async def test_amounts_and_dates_need_not_be_checked() -> None:
    assert await judged("$5 on March 3", amounts=False, dates=False) is None


class TestStatus:
    @pytest.mark.parametrize(
        "answer",
        [
            "Your parcel is out for delivery.",
            "I cannot see details, but it is out for delivery.",
            "I could not reach the carrier. Your parcel is Out-for-Delivery!",
            "It was delivered on May 26.",
        ],
    )
    async def test_a_status_from_a_failed_look_up_is_denied(self, answer: str) -> None:
        message = await judged(answer, failed(), dates=False)
        assert message is not None
        assert "get_shipping failed" in message

    @pytest.mark.parametrize(
        "answer",
        [
            "I cannot tell whether it was delivered.",
            "I am unable to see if it is out for delivery right now.",
            "Once it is shipped, you will get a mail.",
            "Was it delivered?",
            "I had trouble processing your request.",
            "You say it was delivered; I could not check.",
            "Please ask again later.",
        ],
    )
    async def test_what_is_said_with_reserve_passes(self, answer: str) -> None:
        assert await judged(answer, failed()) is None

    async def test_a_status_that_another_tool_has_shown_passes(self) -> None:
        shown = result({"stage": "in_transit", "state": "canceled"})
        assert await judged("It is in transit.", failed(), shown) is None
        assert await judged("It is cancelled.", failed(), shown) is None
        assert await judged("It is delivered.", failed(), shown) is not None

    async def test_nothing_has_failed_if_a_second_call_succeeded(self) -> None:
        again = result({}, tool="get_shipping")
        assert await judged("It is delivered.", failed(), again) is None

    async def test_the_words_can_be_chosen(self) -> None:
        assert await judged("It is delivered.", failed(), status_words=()) is None
        assert await judged("It is baked.", failed(), status_words=("baked",)) is not None


@pytest.mark.parametrize(
    "unit", ["1,", "$1 ", "1\u00a0", "May 1 ", "2026-11-", "if ", "delivered "]
)
async def test_a_long_text_is_read_through(unit: str) -> None:
    """With a pattern that goes back again and again this would never end."""
    await judged(unit * 10_000, failed(), customer(unit * 10_000))
