"""The sinks that come with Interlock: `jsonl` and `console`. A plugin like any other."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from types import MappingProxyType
from typing import IO, Literal

from pydantic import Field
from pydantic_core import to_json

from interlock.hooks.data import SinkKind
from interlock.hooks.specs import hookimpl
from interlock.model.base import Document
from interlock.model.event import TraceEvent

__all__ = ["SETTINGS", "ConsoleSettings", "ConsoleSink", "JsonlSettings", "JsonlSink", "Sinks"]

_WIDEST = 200


class JsonlSettings(Document):
    """The settings of `jsonl`."""

    path: str = Field(min_length=1, examples=["var/trace.jsonl"])
    """The file that events are added to, one JSON object a line; relative to the project."""


class JsonlSink:
    """Adds each event as a line to a file, which may be moved away at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, event: TraceEvent) -> None:
        """Adds the event. Raises `OSError` if the file cannot be written."""
        file = self._open()
        file.write(to_json(event.to_json()) + b"\n")
        file.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        # Whatever rotates logs moves the file; the next line then begins a new one.
        if self._file is not None and not self._path.exists():
            self.close()
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")
        return self._file


class ConsoleSettings(Document):
    """The settings of `console`."""

    stream: Literal["stdout", "stderr"] = "stderr"
    """Where lines are written to."""


class ConsoleSink:
    """Writes each event as a line for people."""

    def __init__(self, stream: Literal["stdout", "stderr"]) -> None:
        self._stream = stream

    def write(self, event: TraceEvent) -> None:
        """Writes the event."""
        data = to_json(event.data).decode("utf-8", "replace")
        shown = data if len(data) <= _WIDEST else f"{data[: _WIDEST - 1]}…"
        time = event.time.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
        line = f"{time} {event.turn_id} {event.iteration} {event.type} {shown}"
        print(line, file=sys.stdout if self._stream == "stdout" else sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the stream open: it is the process's own."""


SETTINGS: Mapping[str, type[Document]] = MappingProxyType(
    {"console": ConsoleSettings, "jsonl": JsonlSettings}
)
"""The settings of each sink."""


class Sinks:
    """The plugin that registers them."""

    interlock_api = 1

    def __init__(self, project: Path) -> None:
        self._project = project

    @hookimpl
    def register_sinks(self) -> Mapping[str, SinkKind]:
        """`jsonl` and `console`."""
        return {
            "jsonl": SinkKind(JsonlSettings, self._make_jsonl),
            "console": SinkKind(ConsoleSettings, _make_console),
        }

    def _make_jsonl(self, settings: JsonlSettings) -> JsonlSink:
        return JsonlSink(self._project / settings.path)


def _make_console(settings: ConsoleSettings) -> ConsoleSink:
    return ConsoleSink(settings.stream)
