"""Starting the servers that a benchmark needs, and knowing what they cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Server", "start", "start_simulator"]

_URL = re.compile(r"http://[0-9.]+:\d+")
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A server under way."""

    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        # Linux names a process's CPU clock so; see clock_getcpuclockid(3).
        return time.clock_gettime(~self.pid << 3 | 2)

    def memory_mb(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"process {self.pid} has ended")

    def descriptors(self) -> int:
        """How many files and connections it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextmanager
def start(
    *command: str,
    core: int | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Server]:
    """Starts a command that prints its URL when it is ready, and stops it at the end.

    What it says on standard error goes to `log`, or where ours goes.
    """

    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    with nullcontext() if log is None else log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
            preexec_fn=pin,
        )
    try:
        yield Server(_wait_for_url(process), process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def start_simulator(latency_ms: int, *, core: int | None) -> Iterator[Server]:
    """Starts the simulator with the benchmark's rules."""
    rules = str(Path(__file__).parent / "sim.yaml")
    latency = ["--latency", f"{latency_ms}ms"] if latency_ms else []
    with start(
        "-m", "interlock.cli.main", "sim", rules, "--port", "0", *latency, core=core
    ) as server:
        yield server


def _wait_for_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = _URL.search(line)
        if found:
            return found[0]
    raise RuntimeError(f"the server ended with exit code {process.wait()} before it was ready")
