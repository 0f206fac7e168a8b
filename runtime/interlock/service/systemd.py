"""Telling systemd how the service is: `Type=notify` and `Type=notify-reload`."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping

from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.supervisor import Supervisor

__all__ = ["Systemd", "follow_signals"]

_LOG = logging.getLogger(__name__)


class Systemd:
    """The notification socket of the environment; says nothing to nobody if there is none."""

    def __init__(self, environment: Mapping[str, str], supervisor: Supervisor) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for a name that is not in the file system.
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        self._supervisor = supervisor

    def ready(self) -> None:
        """The service answers, or has ended a reload."""
        self._send(READY="1", STATUS=self._status())

    def reloading(self) -> None:
        """A reload has begun."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(RELOADING="1", MONOTONIC_USEC=str(microseconds))

    def stopping(self) -> None:
        """The service was told to end, and lets running turns finish."""
        self._send(STOPPING="1")

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        """What `systemctl status` shows follows every attempt to change the configuration."""
        self._send(STATUS=self._status())

    def missed(self) -> None:
        """Nothing that systemd would want to know."""

    def _status(self) -> str:
        active, standing = self._supervisor.generations.active, self._supervisor.standing
        status = f"generation {active.number}, snapshot {active.digest[:12]}"
        if standing.rejected is not None:
            reason = standing.rejected.reason
            status += f"; DEGRADED: the files are not applied ({reason}), see the log"
        elif standing.rolled_back is not None:
            status += "; rolled back, the files are something else"
        return status

    def _send(self, **fields: str) -> None:
        if not self._address:
            return
        text = "".join(f"{name}={value}\n" for name, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                # A datagram that nobody takes is not worth waiting for.
                sender.setblocking(False)
                sender.sendto(text.encode(), self._address)
        except OSError as error:
            _LOG.warning("systemd was not told %s: %s", text.splitlines()[0], error)


async def follow_signals(told: asyncio.Event, supervisor: Supervisor, systemd: Systemd) -> None:
    """Reloads whenever a signal asks for it, until it is cancelled."""
    while True:
        await told.wait()
        # Signals that come during the reload ask for another one.
        told.clear()
        systemd.reloading()
        try:
            await supervisor.reload("signal")
        except Exception:
            # The boundary of a reload that nobody waits for; operators read the log.
            _LOG.exception("the reload that a signal asked for failed")
        systemd.ready()
