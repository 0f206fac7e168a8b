"""The command line as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Running", "interlock", "running"]

_SECONDS = 60
_COMMAND = (sys.executable, "-m", "interlock.cli.main")
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR")


@dataclass(frozen=True)
class Running:
    """A command that has said that it is ready."""

    process: subprocess.Popen[str]
    said: str
    """Its first line."""

    @property
    def url(self) -> str:
        """The URL in what it said."""
        return next(word.rstrip(",") for word in self.said.split() if word.startswith("http://"))


def interlock(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [*_COMMAND, *arguments],
        cwd=cwd,
        env=_environment(environment),
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


@contextmanager
def running(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Runs a command that goes on, from its first line of output; stops it afterwards."""
    with (
        (cwd / f"{arguments[0]}.log").open("w") as log,
        subprocess.Popen(
            [*_COMMAND, *arguments],
            cwd=cwd,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            yield Running(process, process.stdout.readline())
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Nothing of the machine's own settings, so that keys and colours are the test's."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **(more or {})}
