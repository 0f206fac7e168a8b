"""Checks on interlock.yaml that need more than one of its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.config.placed import Placed
from interlock.config.validate import Loc
from interlock.diagnostics import nearest
from interlock.model.base import EnvRef
from interlock.model.settings import Settings

__all__ = ["check_settings", "missing_environment"]


def check_settings(placed: Placed[Settings]) -> None:
    """Reports references between models and providers that lead nowhere."""
    settings = placed.model
    for name, entry in settings.models.items():
        if entry.provider not in settings.providers:
            close = nearest(entry.provider, settings.providers)
            placed.report(
                "ILK-C006",
                f"there is no provider '{entry.provider}'",
                ("models", name, "provider"),
                hint=f"did you mean '{close}'?" if close else "declare it under providers:",
            )


def missing_environment(placed: Placed[Settings], environment: Mapping[str, str]) -> None:
    """Reports environment variables that are referred to, not set, and have no default."""
    for location, reference in _references(placed.model):
        if reference.default is None and reference.env not in environment:
            placed.report(
                "ILK-C013",
                f"the environment variable {reference.env} is not set",
                (*location, "env"),
                hint=f"set {reference.env}, or give a 'default:' beside it",
            )


def _references(settings: Settings) -> Iterator[tuple[Loc, EnvRef]]:
    if isinstance(settings.store.url, EnvRef):
        yield ("store", "url"), settings.store.url
    for name, provider in settings.providers.items():
        yield ("providers", name, "apiKey"), provider.api_key
        if isinstance(provider.base_url, EnvRef):
            yield ("providers", name, "baseUrl"), provider.base_url
