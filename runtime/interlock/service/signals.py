"""Being told by signals: to stop, first politely and then at once, and to reload."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Told", "listen_to_signals"]

_LOG = logging.getLogger(__name__)
_STOP = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Told:
    """What signals have asked for."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by SIGINT or SIGTERM."""
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by SIGHUP; to be cleared before the reload."""


@contextmanager
def listen_to_signals() -> Iterator[Told]:
    """What signals ask for; a second one to stop ends the process there and then.

    Only in the main thread. The former handlers are back in place afterwards.
    """
    loop = asyncio.get_running_loop()
    told = Told()

    def stop(number: signal.Signals) -> None:
        _LOG.info("%s: stopping", number.name)
        for each in _STOP:
            loop.remove_signal_handler(each)
            # The default needs no event loop, so it works however stuck the process is.
            signal.signal(each, signal.SIG_DFL)
        told.stop.set()

    before = {each: signal.getsignal(each) for each in (*_STOP, signal.SIGHUP)}
    for each in _STOP:
        loop.add_signal_handler(each, stop, each)
    loop.add_signal_handler(signal.SIGHUP, told.reload.set)
    try:
        yield told
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)
