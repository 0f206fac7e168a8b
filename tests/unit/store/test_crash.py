"""kill -9 in the middle of writing: what was confirmed is there, and the store opens again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from interlock.model.turn import Spent
from interlock.store.store import Store

_WRITE_FOREVER = """
import asyncio, sys
from pathlib import Path
from interlock.store.store import Store
from tests.unit.store.samples import DIGEST, cost, new_conversation, request, result, trace_event

async def converse(store):
    conversation = await new_conversation(store)
    while True:
        asked = request(conversation.id)
        await store.begin_turn(asked, DIGEST)
        print("begun", asked.turn_id, flush=True)
        for sequence in range(1, 8):
            store.record_event(trace_event(asked.turn_id, sequence))
        store.record_cost(cost(asked.turn_id, conversation.id))
        await store.end_turn(asked.turn_id, conversation.id, result())
        print("ended", asked.turn_id, flush=True)

async def main():
    store = await Store.open("sqlite:///store.db", project=Path(sys.argv[1]))
    await asyncio.gather(*(converse(store) for _ in range(8)))

asyncio.run(main())
"""


def _kill_while_writing(project: Path) -> tuple[set[str], set[str]]:
    """The turns that were confirmed as begun and as ended before the process was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITE_FOREVER, str(project)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(300)]
        finally:
            process.kill()
        lines += process.stdout.readlines()
    told = [line.split() for line in lines if line.endswith("\n")]
    begun = {turn_id for what, turn_id in told if what == "begun"}
    return begun, {turn_id for what, turn_id in told if what == "ended"}


async def test_nothing_that_was_confirmed_is_lost(tmp_path: Path) -> None:
    begun, ended = _kill_while_writing(tmp_path)
    assert len(ended) > 50
    async with await Store.open("sqlite:///store.db", project=tmp_path, read_only=True) as store:
        assert len(await store.conversations()) == 8  # readable before anybody repairs anything
    async with await Store.open("sqlite:///store.db", project=tmp_path) as store:
        running = {turn.id for turn in await store.interrupted_turns()}
        assert not running & ended
        assert await store.end_interrupted_turns("Please ask again.") == len(running)
        for turn_id in begun:
            assert (await store.turn(turn_id)).state == "ended"
        for turn_id in ended:
            assert (await store.turn(turn_id)).outcome == "resolved"
            assert len(await store.events(turn_id)) == 7
        for conversation in await store.conversations():
            entries = await store.ledger(conversation.id)
            assert conversation.spent == Spent(
                tokens=sum(entry.usage.total for entry in entries),
                cost_nano=sum(entry.cost_nano or 0 for entry in entries),
            )
            assert len({entry.turn_id for entry in entries}) == len(entries)
            turns = await store.turns(conversation.id)
            assert [turn.sequence for turn in turns] == list(range(1, len(turns) + 1))
            assert len(await store.transcript(conversation.id)) == 2 * len(turns)
    connection = sqlite3.connect(tmp_path / "store.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
