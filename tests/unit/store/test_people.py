"""Escalations, approvals and feedback: kept, found again, and decided once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.errors import StoreError
from interlock.model.turn import Message
from interlock.people.escalations import new_escalation
from interlock.store.people import AlreadyDecided, answer_rows, by_urgency, close_rows, open_rows
from interlock.store.people_records import Approval, ApprovalNotFound, Escalation, Feedback
from interlock.store.store import Store
from tests.unit.store.samples import DIGEST, TIME, new_conversation, request, result
from tests.unit.turn.scripted import compiled

LATER = TIME + timedelta(hours=1)


async def escalated(store: Store) -> Escalation:
    """An escalation that was opened with the end of its turn."""
    conversation = await new_conversation(store)
    asked = request(conversation.id)
    await store.begin_turn(asked, DIGEST)
    details = {"summary": "They wait.", "detail": None, "lastToolCall": {"tool": "x", "input": {}}}
    ended = result(outcome="escalated", reason="model_asked", escalation=details)
    agent = compiled("escalation: {sla: 10m, priority: urgent}").spec
    made = new_escalation(asked, agent, ended, now=TIME)
    await store.end_turn(asked.turn_id, conversation.id, ended, also=open_rows(made))
    return made


async def asked(store: Store) -> Approval:
    """An approval that is pending."""
    conversation = await new_conversation(store)
    turn = request(conversation.id)
    await store.begin_turn(turn, DIGEST)
    approval = Approval(
        id=f"appr_{turn.turn_id}",
        conversation_id=conversation.id,
        turn_id=turn.turn_id,
        agent="support",
        customer_id="cust_1",
        snapshot=DIGEST,
        tool="refund",
        input={"amount": 1},
        arguments={"amount": 1, "customer": "cust_1"},
        action_key="refund:1",
        asked_key="refund:1",
        why=None,
        state="pending",
        created_at=TIME,
        expires_at=LATER,
        verdict=None,
        decided_by=None,
        decided_at=None,
        reason=None,
        attempted_at=None,
        result=None,
    )
    await store.people.ask(approval)
    return approval


async def test_an_escalation_reads_back_and_a_conversation_has_one_at_most(store: Store) -> None:
    made = await escalated(store)
    assert await store.people.escalation(made.id) == made
    assert (made.priority, made.due_at) == ("urgent", TIME + timedelta(minutes=10))
    second = replace(made, id="esc_second")
    note = Message("note", "again")
    await store.add_message(made.turn_id, made.conversation_id, note, also=open_rows(second))
    assert await store.people.active_escalations() == (made,)
    found = await store.people.escalations(state="open", queue="humans", limit=5, before=None)
    assert found == (made,)
    assert sorted([replace(made, priority="low"), made], key=by_urgency)[0] == made


async def test_an_escalation_is_claimed_once_and_only_its_person_ends_it(store: Store) -> None:
    made = await escalated(store)
    claims = [store.people.claim(made.id, who=f"p{number}", now=TIME) for number in range(5)]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert [type(each) for each in outcomes].count(AlreadyDecided) == 4
    claimed = await store.people.escalation(made.id)
    ending = close_rows(made.id, who="stranger", now=TIME, resolution="x", handed_back=False)
    message = Message("person", "Hello", claimed.claimed_by)
    with pytest.raises(StoreError) as refused:
        await store.add_message(made.turn_id, made.conversation_id, message, also=ending)
    assert isinstance(refused.value.__cause__, LookupError)
    assert all(each.role != "person" for each in await store.messages(made.conversation_id))
    owner = claimed.claimed_by or ""
    rows = answer_rows(claimed, who=owner, now=LATER)
    await store.add_message(made.turn_id, made.conversation_id, message, also=rows)
    assert (await store.people.escalation(made.id)).answered_at == LATER
    assert (await store.transcript(made.conversation_id))[-1] == message
    assert (await store.history(made.conversation_id))[1][-1] == message


async def test_an_approval_is_decided_attempted_and_answered_once(store: Store) -> None:
    approval = await asked(store)
    assert await store.people.approval(approval.id) == approval
    people = store.people
    decisions = [
        people.decide(approval, verdict, who=verdict, now=TIME)
        for verdict in ("approved", "denied", "answered", "approved")
    ]
    outcomes = await asyncio.gather(*decisions, return_exceptions=True)
    assert [each for each in outcomes if each is None] == [None]
    assert (await people.approval(approval.id)).state == "approved"
    for once in (
        lambda: people.attempt(approval.id, now=TIME),
        lambda: people.keep_result(approval.id, {"status": "success"}),
    ):
        await once()
        with pytest.raises(AlreadyDecided):
            await once()
    assert [each.id for each in await people.unfinished_approvals()] == [approval.id]
    await people.finish(approval.id)
    assert await people.unfinished_approvals() == ()
    latest = await people.latest_asked(approval.conversation_id, "refund:1")
    assert latest is not None
    assert (latest.state, latest.result) == ("done", {"status": "success"})
    assert await people.latest_asked("conv_other", "refund:1") is None


async def test_what_has_expired_can_only_expire(store: Store) -> None:
    approval = await asked(store)
    late = LATER + timedelta(seconds=1)
    with pytest.raises(AlreadyDecided):
        await store.people.decide(approval, "approved", who="anna", now=late)
    await store.people.decide(approval, "expired", who=None, now=late)
    assert (await store.people.approval(approval.id)).verdict == "expired"
    with pytest.raises(ApprovalNotFound):
        await store.people.approval("appr_none")


async def test_feedback_is_replaced(store: Store) -> None:
    made = await escalated(store)
    for rating in (1, 4):
        given = Feedback(made.turn_id, made.conversation_id, rating, "ok", TIME)
        await store.people.give_feedback(given)
    assert await store.people.feedback(made.conversation_id) == {made.turn_id: given}
