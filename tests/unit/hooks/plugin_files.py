"""Plugins and configurations for tests, as files in memory."""

from __future__ import annotations

from pathlib import Path

from interlock.config.source import Source
from interlock.reload.generation import Generation, build
from tests.unit.config.project import base_files

HEAD = """from interlock import *
from interlock import hookimpl

interlock_api = 1
"""


def with_plugins(settings: str = "", agent: str = "", /, **plugins: str) -> Source:
    """The small project with these drop-ins and with further keys."""
    files = base_files()
    files["interlock.yaml"] += settings.encode()
    files["agents.d/support.yaml"] += agent.encode()
    for name, code in plugins.items():
        files[f"plugins/{name}.py"] = f"{HEAD}{code}".encode()
    return Source(files)


def generation(
    settings: str = "", agent: str = "", /, *, project: Path = Path(), **plugins: str
) -> Generation:
    """The generation of it, not started."""
    return build(with_plugins(settings, agent, **plugins), {}, project=project)
