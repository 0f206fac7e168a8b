from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cli.sse import read_events

STREAM = (
    ": still working\n\n"
    'event: plan\nid: 1\ndata: {"a": "é"}\n\n'
    "data: one\ndata:two\n\n"
    "event: ping\n\n"
    "event: answer\r\ndata: last\r\n\r\n"
    "event: cut\ndata: off"
).encode()
EVENTS = [("plan", '{"a": "é"}'), ("message", "one\ntwo"), ("answer", "last")]


async def collect(chunks: Iterable[bytes]) -> list[tuple[str, str]]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [event async for event in read_events(stream())]


async def test_events_have_their_name_and_data() -> None:
    assert await collect([STREAM]) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_chunks_may_end_anywhere(size: int) -> None:
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert await collect(chunks) == EVENTS


@given(
    st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1))
)
async def test_data_comes_back_as_it_was_sent(texts: list[str]) -> None:
    stream = "".join(f"event: e\ndata: {text}\n\n" for text in texts)
    assert await collect([stream.encode()]) == [("e", text) for text in texts]
