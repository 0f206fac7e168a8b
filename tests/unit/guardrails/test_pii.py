from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.guardrails.pii import Pii, PiiSettings
from interlock.turn.guard import Deny, GuardrailInput, NoJudge, Redact, Stage

FOUND = [
    ("Write to jane.doe+x@mail.example.co.uk!", "Write to [email]!"),
    ("(mailto:jörg@müller.example)", "(mailto:[email])"),
    ("Call +49 170 1234567 now", "Call [phone] now"),
    ("Call (212) 555-0142, or 212-555-0142.", "Call [phone], or [phone]."),
    ("0171 2345678 is mine", "[phone] is mine"),
    ("my phone number: 5550142", "my phone number: [phone]"),
    ("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27"),
    ("2 4111-1111-1111-1111 123", "2 [card] 123"),
    ("amex 378282246310005", "amex [card]"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [iban] please"),
    ("gb82west12345698765432", "[iban]"),
    ("ssn 536-22-1234.", "ssn [ssn]."),
    ("from 203.0.113.7.", "from [ip]."),
    ("from 2001:db8::8a2e:370:7334 today", "from [ip] today"),
]
CLEAN = [
    "Order ORD-1001, order 4111111111111112, return RET-5002",
    "tracking 1Z999AA10123456784, 9400111899223197428490, 794644790138",
    "It costs $1,234.50 or 1.234,50 EUR, 100 000 in all",
    "on 2026-11-26, 03/03/2026 10:30, 26.11.2026 and 03-03-2026 at 12:30:45",
    "invoice 2026-000123, SKU-1201, CUST-1001, 10.5.2 (v1.2.3)",
    "DE89 3704 0044 0532 0130 01 is no account",
    "000-12-3456 and 987-65-4321",
    "twelve @ home, a@b, see std::vector",
    "call order 12 to 14",
]


async def judged(text: str, stage: Stage = "input", **settings: Any) -> Any:
    guardrail = Pii(PiiSettings(**settings))
    return await guardrail.check(GuardrailInput(stage, text), NoJudge())


@pytest.mark.parametrize(("text", "redacted"), FOUND)
async def test_personal_data_is_replaced_by_its_kind(text: str, redacted: str) -> None:
    decision = await judged(text)
    assert isinstance(decision, Redact)
    assert decision.text == redacted


@pytest.mark.parametrize("text", CLEAN)
async def test_what_is_none_is_left_alone(text: str) -> None:
    assert await judged(text) is None


async def test_only_what_is_looked_for_is_found() -> None:
    decision = await judged("a@b.example, +49 170 1234567", detect=("phone",))
    assert decision == Redact("a@b.example, [phone]", "phone")


async def test_it_may_be_denied_without_repeating_it() -> None:
    decision = await judged("4111 1111 1111 1111 of a@b.example", action="deny")
    assert decision == Deny("it holds a card number, an e-mail address", "card")


@pytest.mark.parametrize("entry", ["help@shop.example", "@SHOP.example", "+49 (170) 1234567"])
async def test_what_is_allowed_stays(entry: str) -> None:
    text = "+49 170 1234567" if entry[0] == "+" else "help@shop.example"
    assert await judged(text, allow=(entry,)) is None


async def test_json_stays_json() -> None:
    value = {
        "note": 'mail "me"\n a@b.example',
        "card": 4111111111111111,
        "list": ["536-22-1234", 5, True, None, 149.5],
        "order": "ORD-1001",
    }
    decision = await judged(json.dumps(value), "tool_call")
    assert isinstance(decision, Redact)
    assert json.loads(decision.text) == {
        "note": 'mail "me"\n [email]',
        "card": "[card]",
        "list": ["[ssn]", 5, True, None, 149.5],
        "order": "ORD-1001",
    }


@pytest.mark.parametrize("unit", ["a@", "1 ", "12-", "4111 ", "a.", "0:", "+1(", "DE89 ", "1.1."])
async def test_a_long_text_is_read_through(unit: str) -> None:
    """With a pattern that goes back again and again this would never end."""
    await judged(unit * 30_000)
