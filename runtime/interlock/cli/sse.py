"""Reading server-sent events."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["read_events"]


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[tuple[str, str]]:
    """The name and the data of each event in a stream, however it was cut into chunks.

    Comments, ids and an event that the stream's end cuts off are left out.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest, name = "", "message"
    data: list[str] = []
    async for chunk in chunks:
        *lines, rest = (rest + decoder.decode(chunk)).replace("\r\n", "\n").split("\n")
        for line in lines:
            if not line:
                if data:
                    yield name, "\n".join(data)
                name, data = "message", []
                continue
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
