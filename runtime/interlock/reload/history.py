"""The configurations that were active before: recorded, found again, compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from interlock.config.diff import Change, diff
from interlock.config.load import Loaded, load
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.config.surroundings import Surroundings
from interlock.cost.prices import price_of
from interlock.diagnostics import Diagnostic
from interlock.errors import InterlockError
from interlock.guardrails import SETTINGS
from interlock.model.settings import PriceEntry
from interlock.model.usage import Price
from interlock.reload.activation import Activation
from interlock.reload.aside import run_aside
from interlock.store.store import Store

__all__ = [
    "ACTIVE",
    "PREVIOUS",
    "AmbiguousDigest",
    "StoreHistory",
    "UnknownSnapshot",
    "UnreadableSnapshot",
    "compare_kept",
    "find_digest",
    "kept_source",
    "load_kept",
]

ACTIVE, PREVIOUS = "active", "previous"
"""Names for the active configuration, and for the one that was active before it."""

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_PAGE = 100
_SHOWN = 16


class UnknownSnapshot(InterlockError):
    """The store has no such configuration."""

    code = "unknown_snapshot"


class AmbiguousDigest(InterlockError):
    """Several configurations have a digest that begins so."""

    code = "ambiguous_digest"


class UnreadableSnapshot(InterlockError):
    """A configuration was valid once, but is not for this version of Interlock."""

    code = "unreadable_snapshot"

    def __init__(self, source: Source, found: Sequence[Diagnostic]) -> None:
        self.source = source
        self.found = tuple(found)
        first = next(each for each in found if each.severity == "error")
        super().__init__(f"the configuration {source.digest[:12]} can no longer be read: {first}")


class StoreHistory:
    """Records activations in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def activated(self, record: Activation) -> None:
        """Keeps the activation and its files. Raises `StoreError`."""
        await self._store.record_activation(
            digest=record.digest,
            files=record.files,
            previous=record.previous,
            at=record.at,
            trigger=record.trigger,
            who=record.who,
            why=record.why,
        )


async def find_digest(store: Store, name: str, *, active: str | None = None) -> str:
    """The digest that `name` stands for.

    Args:
        store: where configurations are kept.
        name: at least 8 digits of a digest, `active` or `previous`.
        active: the digest of the active configuration, if not the one that was recorded last.

    Raises:
        UnknownSnapshot, AmbiguousDigest, StoreError.
    """
    if name in (ACTIVE, PREVIOUS):
        if active is None:
            latest = await store.activations(limit=1)
            if not latest:
                raise UnknownSnapshot("no configuration was ever active here")
            active = latest[0].digest
        return active if name == ACTIVE else await _previous(store, active)
    if _DIGEST.fullmatch(name) is None:
        raise UnknownSnapshot(
            f"'{name}' is not a digest: write 8 to 64 of its hexadecimal digits, {ACTIVE} or "
            f"{PREVIOUS}"
        )
    found = await store.snapshot_digests(name)
    if not found:
        raise UnknownSnapshot(f"no configuration is kept whose digest begins with {name}")
    if len(found) > 1:
        known = ", ".join(digest[: max(_SHOWN, len(name) + 4)] for digest in found)
        raise AmbiguousDigest(f"several digests begin with {name}, such as {known}")
    return found[0]


async def kept_source(store: Store, digest: str) -> Source:
    """The files of a configuration. Raises `UnknownSnapshot` and `StoreError`."""
    files = await store.snapshot_files(digest)
    if files is None:
        raise UnknownSnapshot(f"no configuration is kept with the digest {digest}")
    return Source(files)


def load_kept(source: Source) -> Loaded:
    """What comes of a configuration that was valid where and when it ran.

    Variables that are not set here and now, and prices that are not known, are no findings.
    """
    words = {word.decode() for data in source.files.values() for word in _WORD.findall(data)}
    # Every word could be the name of a variable. Their values play no part in a comparison.
    unset = dict.fromkeys(words, "http://unset.invalid")
    # The plugins are not run for it, so their guardrails are not known.
    surroundings = Surroundings(unset, SETTINGS, lambda *_: True, guardrails_complete=False)
    return load(source, surroundings)


async def compare_kept(before: Source, after: Source) -> tuple[Change, ...]:
    """What differs in meaning. Raises `UnreadableSnapshot`."""
    return await run_aside(partial(_compare, before, after), name="diff")


def _compare(before: Source, after: Source) -> tuple[Change, ...]:
    return diff(_require(before), _require(after), _price_of, guardrails=SETTINGS)


def _require(source: Source) -> Snapshot:
    loaded = load_kept(source)
    if loaded.snapshot is None:
        raise UnreadableSnapshot(source, loaded.found)
    return loaded.snapshot


async def _previous(store: Store, active: str) -> str:
    """The digest of the latest activation of another configuration than the active one."""
    before: str | None = None
    while True:
        page = await store.activations(limit=_PAGE, before=before)
        for entry in page:
            if entry.digest != active:
                return entry.digest
        if len(page) < _PAGE:
            raise UnknownSnapshot("no other configuration was ever active here")
        before = page[-1].id


def _price_of(model: str, overrides: Mapping[str, PriceEntry]) -> Price | None:
    return price_of(model, overrides=overrides)
