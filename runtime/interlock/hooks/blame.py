"""Where in a plugin's own code an error arose, without the frames of others."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import PurePath

from interlock.diagnostics import Location

__all__ = ["Blame", "blame"]

_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Blame:
    """What a plugin raised."""

    place: Location
    """The last line of the plugin's own that the error came through."""
    text: str
    """The error, and the lines that led there if there is more than one."""


def blame(error: BaseException, path: str, *, line: int = 1) -> Blame:
    """What is to be said of an error that code in the file `path`, or called from it, raised.

    `line` is what it is about if it arose nowhere in the plugin's own code.
    Of a package, whose file is not known before it is loaded, every frame counts but Python's own.
    """
    trace = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in trace if frame.filename == path] or [
        frame for frame in trace if _is_foreign(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        return Blame(Location(error.filename, error.lineno or 1), f"SyntaxError: {error.msg}")
    text = f"{type(error).__name__}: {error}"
    if not own:
        return Blame(Location(path, line), text)
    if len(own) > 1:
        text += f" (by way of {', '.join(f'line {each.lineno}' for each in own[-_FRAMES:])})"
    return Blame(Location(own[-1].filename, own[-1].lineno or 1), text)


def _is_foreign(filename: str) -> bool:
    parts = PurePath(filename).parts
    ours = "interlock" in parts and "hooks" in parts
    return not (ours or filename.startswith("<frozen") or "importlib" in parts)
