"""Being told to stop: once politely, then at once."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stop_signals"]

_LOG = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT or SIGTERM sets; a second signal ends the process there and then.

    Only in the main thread. The former handlers are back in place afterwards.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        _LOG.info("%s: stopping", number.name)
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            # The default needs no event loop, so it works however stuck the process is.
            signal.signal(each, signal.SIG_DFL)
        stop.set()

    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each in _SIGNALS:
        loop.add_signal_handler(each, on_signal, each)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)
