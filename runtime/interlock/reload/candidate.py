"""Building the generation that may become the active one, or saying why it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location
from interlock.errors import ConfigError
from interlock.reload.aside import run_aside
from interlock.reload.clients import Clients
from interlock.reload.generation import Accept, Generation, build
from interlock.reload.guard import refuse_emptiness
from interlock.reload.outcome import Reason

__all__ = ["Refused", "build_candidate", "reason_of"]

_SECONDS = 60.0
"""Only a plugin that does not end takes so long."""

_LOG = logging.getLogger(__name__)


class Refused(Exception):
    """A configuration that cannot become active, for `reason`."""

    def __init__(self, reason: Reason, found: Iterable[Diagnostic]) -> None:
        self.reason = reason
        self.found = tuple(found)
        super().__init__(reason)


async def build_candidate(
    source: Source,
    environment: Mapping[str, str],
    *,
    project: Path = Path(),
    clients: Clients,
    accept: Accept = lambda snapshot: (),
    seconds: float = _SECONDS,
) -> Generation:
    """The generation of a source, built in a thread beside whatever serves. Raises `Refused`."""
    empty = refuse_emptiness(source)
    if empty is not None:
        raise Refused("mass_change", [empty])
    if not source.files:
        # That nothing could be read is all that there is to say.
        raise Refused(reason_of(source.found), source.found)
    loop = asyncio.get_running_loop()
    late: set[asyncio.Task[None]] = set()

    def close_late(generation: Generation) -> None:
        closing = loop.create_task(generation.close())
        late.add(closing)
        closing.add_done_callback(late.discard)

    building = partial(build, source, environment, project=project, clients=clients, accept=accept)
    try:
        async with asyncio.timeout(seconds):
            generation = await run_aside(building, name="build", abandoned=close_late)
    except ConfigError as error:
        raise Refused(reason_of(error.diagnostics), error.diagnostics) from error
    except TimeoutError as error:
        message = f"it takes longer than {seconds:g} s; a plugin may be waiting for something"
        found = Diagnostic("ILK-R005", message, Location("plugins/"))
        raise Refused("plugin", [found]) from error
    except Exception as error:
        # The boundary of a reload: whatever the files made go wrong, the old ones serve on.
        _LOG.exception("the configuration could not be loaded")
        message = f"unexpected {type(error).__name__}: {error}; the log tells more"
        raise Refused("invalid", [Diagnostic("ILK-R005", message, Location("./"))]) from error
    try:
        await generation.start()
    except ConfigError as error:
        await generation.close()
        raise Refused(reason_of(error.diagnostics), error.diagnostics) from error
    except BaseException:
        await generation.close()
        raise
    return generation


def canary_refused(reason: str) -> Refused:
    """The refusal of a configuration that was tried and aborted for `reason`."""
    message = f"the configuration was tried on new conversations, and aborted: {reason}"
    hint = "repair it and save it, or apply it as it is: interlock reload --skip-canary"
    return Refused("canary", [Diagnostic("ILK-R007", message, Location("./"), hint)])


def reason_of(found: Iterable[Diagnostic]) -> Reason:
    """The reason that stands for all findings: the one that must go away first."""
    codes = {each.code for each in found if each.severity == "error"}
    if codes & {"ILK-R001", "ILK-C029"}:
        # What is missing may be mounted in a moment.
        return "unreadable"
    if any(code.startswith("ILK-Y") for code in codes):
        return "parse"
    if codes == {"ILK-R003"}:
        return "mass_change"
    plugin = all(code == "ILK-C014" or code.startswith("ILK-P") for code in codes)
    return "plugin" if codes and plugin else "invalid"
