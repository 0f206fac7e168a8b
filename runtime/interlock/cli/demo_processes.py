"""The processes of the demo: started in the background, found again, and stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from interlock.errors import InterlockError

__all__ = ["DemoFailed", "start", "stop"]

_URL = re.compile(r"http://[0-9.]+:\d+")
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STOP_SECONDS = 10.0


class DemoFailed(InterlockError):
    """A part of the demo did not start or did not answer."""

    code = "demo_failed"


async def start(
    folder: Path, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> str:
    """Starts a command that goes on after us, and waits for the URL that it prints.

    Its output goes to NAME.log and its process id to processes.json, both in `folder`.
    """
    log = folder / f"{name}.log"
    process = _spawn(log, command, environment)
    _remember(folder, name, process.pid)
    for _ in range(int(_START_SECONDS / _POLL_SECONDS)):
        found = _URL.search(log.read_text(errors="replace"))
        if found:
            return found[0]
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip()
            raise DemoFailed(f"the {name} ended with exit code {process.returncode}:\n{said}")
        await asyncio.sleep(_POLL_SECONDS)
    raise DemoFailed(f"the {name} did not start within {_START_SECONDS:.0f} s; see {log}")


def _spawn(
    log: Path, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
        )


async def stop(folder: Path) -> list[str]:
    """Stops what an earlier demo left running; the names of what was stopped."""
    file = folder / "processes.json"
    if not file.exists():
        return []
    stopped = []
    for name, pid in json.loads(file.read_text()).items():
        if _is_ours(pid):
            os.kill(pid, signal.SIGTERM)
            await _wait_until_gone(pid)
            stopped.append(name)
    file.unlink()
    return stopped


def _remember(folder: Path, name: str, pid: int) -> None:
    file = folder / "processes.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**known, name: pid}))


def _is_ours(pid: int) -> bool:
    """Whether the id still means our process, and not another that got the same number."""
    proc = Path("/proc")
    if proc.is_dir():
        try:
            shown = (proc / str(pid) / "cmdline").read_text()
        except OSError:
            return False
    else:
        command = ["ps", "-o", "command=", "-p", str(pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return "interlock" in shown or "examples.shop" in shown


async def _wait_until_gone(pid: int) -> None:
    for _ in range(int(_STOP_SECONDS / _POLL_SECONDS)):
        if _is_gone(pid):
            return
        await asyncio.sleep(_POLL_SECONDS)
    os.kill(pid, signal.SIGKILL)


def _is_gone(pid: int) -> bool:
    try:
        # A child of our own stays until it is waited for; others are not ours to wait for.
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
