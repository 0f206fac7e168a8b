"""What a plan compares the working tree with: a revision, a folder, a snapshot or a service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interlock.cli.git_source import GitFailed, is_repository, read_revision
from interlock.cli.live_source import read_live
from interlock.cli.project import store_url
from interlock.config.source import SETTINGS_FILE, Source, read_tree
from interlock.errors import InterlockError
from interlock.model.settings import Server, Settings
from interlock.store.store import Store

__all__ = ["Baseline", "NoBaseline", "read_baseline"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ANY_INTERFACE = ("0.0.0.0", "::", "")


class NoBaseline(InterlockError):
    """There is nothing to compare with."""

    code = "no_baseline"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The configuration that a plan starts from."""

    name: str
    """For people: `HEAD (3f2a91c0d1e2)`."""
    source: Source


async def read_baseline(
    project: Path,
    against: str | None,
    *,
    settings: Settings,
    environment: Mapping[str, str],
    url: str | None,
    key: str | None,
) -> Baseline:
    """Reads what `--against` names.

    Args:
        project: the folder of the working tree.
        against: `live`, a project's folder, a snapshot's digest, or a git revision; None is HEAD.
        settings: of the working tree; says where the store and the service are.
        environment: the environment variables that `settings` refers to.
        url: where the service is, if not where `settings` says.
        key: the API key for it.

    Raises:
        NoBaseline: there is no such thing.
        GitFailed, ServiceFailed, StoreError, NotAProject: it should be there, and cannot be read.
    """
    if against == "live":
        url = url or _address(settings.server)
        return Baseline(f"the service at {url}", await read_live(url, key))
    if against is None:
        if not await is_repository(project):
            raise NoBaseline(
                f"'{project}' is not in a git repository; say what to compare it with: "
                "--against live, a folder, a digest"
            )
        return await _revision(project, "HEAD")
    folder = Path(against)
    if against and (folder / SETTINGS_FILE).is_file():
        return Baseline(f"the folder {folder}", await asyncio.to_thread(read_tree, folder))
    if _DIGEST.fullmatch(against):
        return await _snapshot(against, project, store_url(settings, environment))
    try:
        return await _revision(project, against)
    except GitFailed as error:
        raise NoBaseline(
            f"'{against}' is not live, a folder with {SETTINGS_FILE}, a digest of 64 digits, "
            f"or a git revision: {error}"
        ) from error


async def _revision(project: Path, name: str) -> Baseline:
    revision = await read_revision(project, name)
    label = f"{name} ({revision.commit[:12]})"
    if not revision.source.files and not revision.source.found:
        raise NoBaseline(f"{label} has no configuration in '{project}'")
    return Baseline(label, revision.source)


async def _snapshot(digest: str, project: Path, url: str) -> Baseline:
    async with await Store.open(url, project=project, read_only=True) as store:
        files = await store.snapshot_files(digest)
    if files is None:
        raise NoBaseline(f"the project's store has no snapshot {digest}")
    return Baseline(f"the snapshot {digest[:12]}", Source(files))


def _address(server: Server) -> str:
    if server.port == 0:
        raise NoBaseline("server.port is 0, so only --url can say where the service is")
    host = "127.0.0.1" if server.host in _ANY_INTERFACE else server.host
    return f"http://[{host}]:{server.port}" if ":" in host else f"http://{host}:{server.port}"
