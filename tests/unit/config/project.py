"""Configurations for tests: files in memory, and the surroundings that they are loaded in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlock.config.load import Loaded, load
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.cost.prices import price_of
from interlock.guardrails import SETTINGS
from interlock.model.settings import PriceEntry

CORPUS = Path(__file__).parent / "corpus"


def surroundings(environment: Mapping[str, str] | None = None) -> Surroundings:
    """The guardrails and prices that come with Interlock, and no environment but the given."""
    return Surroundings(environment=environment or {}, guardrails=SETTINGS, has_price=_has_price)


def load_files(files: Mapping[str, bytes | str]) -> Loaded:
    """What comes of these files."""
    data = {
        path: content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }
    return load(Source(data), surroundings())


def read_folder(folder: Path) -> dict[str, bytes]:
    """All files of a folder by their relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def base_files() -> dict[str, bytes]:
    """A small configuration with nothing wrong."""
    return read_folder(CORPUS / "_base")


def _has_price(model: str, overrides: Mapping[str, PriceEntry]) -> bool:
    return price_of(model, overrides=overrides) is not None
