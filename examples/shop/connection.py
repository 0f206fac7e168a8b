"""The connection beneath a request: waiting for its end, and cutting it."""

import asyncio
import socket
import struct

from starlette.types import Receive

_LINGER_ZERO = struct.pack("ii", 1, 0)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang(receive: Receive) -> None:
    """Do nothing until the client has gone away; a server that stops cuts the connection."""
    try:
        await wait_for_disconnect(receive)
    except asyncio.CancelledError:
        # Otherwise the server's last act would be to answer with a 500.
        _cut(receive)
        raise


async def reset_connection(receive: Receive) -> None:
    """Cut the client's connection with a TCP reset and no response.

    Raises RuntimeError under a server whose transport cannot be reached.
    """
    _cut(receive)
    # Returning before the server has noticed would make it write a 500.
    await wait_for_disconnect(receive)


def _cut(receive: Receive) -> None:
    # ASGI has no word for this. uvicorn's `receive` is a method of the object that holds
    # the transport.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise RuntimeError("cutting a connection needs uvicorn on asyncio's own event loop")
    # Lingering for zero seconds makes the close a reset (RST), not an orderly end (FIN).
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
