"""Checks on interlock.yaml that need more than one of its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from interlock.config.placed import Placed
from interlock.config.validate import Loc
from interlock.diagnostics import nearest
from interlock.model.base import EnvRef, SecretRef
from interlock.model.settings import Settings

__all__ = [
    "check_addresses",
    "check_secret_files",
    "check_settings",
    "missing_environment",
    "secret_references",
]


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
    for index, key in enumerate(settings.auth.keys):
        if key.role is None:
            placed.report(
                "ILK-C060",
                f"the key '{key.name}' has no role, so it may do everything",
                ("auth", "keys", index),
                hint="give it 'role: chat' for a front end, 'operator', or 'admin'",
                severity="warning",
            )


def secret_references(settings: Settings) -> Iterator[SecretRef]:
    """The references to secrets."""
    for _, reference in _references(settings):
        if isinstance(reference, SecretRef):
            yield reference


def missing_environment(
    placed: Placed[Settings],
    environment: Mapping[str, str],
    *,
    resolved: frozenset[SecretRef] = frozenset(),
) -> None:
    """Reports environment variables that are referred to, not set, and have no default.

    `resolved` are references that need no environment.
    """
    for location, reference in _references(placed.model):
        if reference.env is None or reference in resolved:
            continue
        if reference.default is None and reference.env not in environment:
            placed.report(
                "ILK-C013",
                f"the environment variable {reference.env} is not set",
                (*location, "env"),
                hint=f"set {reference.env}, or give a 'default:' beside it",
            )


def check_secret_files(
    placed: Placed[Settings],
    read_secret: Callable[[str], str],
    *,
    resolved: frozenset[SecretRef] = frozenset(),
) -> None:
    """Reports secrets that cannot be read from their files. `resolved` ones need no file.

    But for the keys of session tokens, whose files may have several lines.
    """
    for location, reference in _references(placed.model):
        if location[0] == "auth" or not isinstance(reference, SecretRef) or reference.file is None:
            continue
        if reference in resolved:
            continue
        try:
            read_secret(reference.file)
        except ValueError as error:
            placed.report(
                "ILK-C029",
                f"the secret cannot be taken from {reference.file}: {error}",
                (*location, "file"),
                hint="the file holds the secret alone; its path is relative to the project",
            )


def check_addresses(placed: Placed[Settings], environment: Mapping[str, str]) -> None:
    """Reports URLs, as the environment makes them, that no request could be sent to."""
    addresses: list[tuple[Loc, str | EnvRef]] = [
        (("providers", name, "baseUrl"), provider.base_url)
        for name, provider in placed.model.providers.items()
    ]
    webhook = placed.model.alerts.webhook
    if webhook is not None:
        addresses.append((("alerts", "webhook", "url"), webhook.url))
    people = placed.model.people.webhook
    if people is not None:
        addresses.append((("people", "webhook", "url"), people.url))
    for location, value in addresses:
        url = (
            environment.get(value.env, value.default or "") if isinstance(value, EnvRef) else value
        )
        if url and not _is_http_url(url):
            placed.report(
                "ILK-C003",
                f"'{url}' is not the URL of a server",
                location,
                hint="write it as https://HOST or http://HOST:PORT",
            )


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _references(settings: Settings) -> Iterator[tuple[Loc, EnvRef | SecretRef]]:
    if isinstance(settings.store.url, EnvRef):
        yield ("store", "url"), settings.store.url
    sessions = settings.auth.sessions
    if sessions is not None and sessions.key is not None:
        yield ("auth", "sessions", "key"), sessions.key
    for index, key in enumerate(() if sessions is None else sessions.keys):
        yield ("auth", "sessions", "keys", index, "key"), key.key
    people = settings.people.webhook
    if people is not None:
        yield ("people", "webhook", "secret"), people.secret
        if isinstance(people.url, EnvRef):
            yield ("people", "webhook", "url"), people.url
    for name, provider in settings.providers.items():
        yield ("providers", name, "apiKey"), provider.api_key
        if isinstance(provider.base_url, EnvRef):
            yield ("providers", name, "baseUrl"), provider.base_url
        for header, value in provider.headers.items():
            if isinstance(value, SecretRef):
                yield ("providers", name, "headers", header), value
    webhook = settings.alerts.webhook
    if webhook is not None:
        yield ("alerts", "webhook", "secret"), webhook.secret
        if isinstance(webhook.url, EnvRef):
            yield ("alerts", "webhook", "url"), webhook.url
