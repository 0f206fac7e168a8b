"""What commands need to know of a project without checking all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.errors import ConfigError, InterlockError

if TYPE_CHECKING:
    from interlock.model.settings import Settings

__all__ = ["NotAProject", "read_settings", "store_url"]


class NotAProject(InterlockError):
    """The folder has no interlock.yaml, or it lacks what the command needs."""

    code = "not_a_project"


def read_settings(project: Path) -> Settings:
    """The project's interlock.yaml, whatever state the other files are in.

    Raises `NotAProject`, and `ConfigError` with every finding.
    """
    from interlock.config.source import SETTINGS_FILE
    from interlock.config.validate import validate
    from interlock.config.yaml import parse_yaml
    from interlock.diagnostics import Diagnostic, Location
    from interlock.model.settings import Settings

    path = project / SETTINGS_FILE
    if not path.is_file():
        raise NotAProject(
            f"there is no '{path}'; go to the project's folder, or name it with --project"
        )
    documents, found = parse_yaml(SETTINGS_FILE, path.read_bytes())
    if not documents and not found:
        found = [Diagnostic("ILK-C003", "the file is empty", Location(SETTINGS_FILE))]
    if found:
        raise ConfigError(found)
    settings, found = validate(Settings, documents[0])
    if settings is None:
        raise ConfigError(found)
    return settings


def store_url(settings: Settings, environment: Mapping[str, str]) -> str:
    """Where the project's store is. Raises `NotAProject` if only an unset variable says so."""
    url = settings.store.url
    if isinstance(url, str):
        return url
    value = environment.get(url.env, url.default)
    if value is None:
        raise NotAProject(f"store.url is taken from {url.env}, which is not set")
    return value
