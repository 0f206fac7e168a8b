"""What a configuration is checked against, beside its own bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from interlock.model.base import Document, SecretRef
from interlock.model.settings import PriceEntry

__all__ = ["Surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts that the machine and the installed code bring along."""

    environment: Mapping[str, str]
    """The environment variables that references are resolved with."""
    guardrails: Mapping[str, type[Document]]
    """The settings of every guardrail that can be used, by name."""
    has_price: Callable[[str, Mapping[str, PriceEntry]], bool]
    """Whether the price of a model id is known, given the prices of interlock.yaml."""
    read_secret: Callable[[str], str] | None = None
    """The secret in a file. Raises `ValueError` with the reason why it cannot be used.

    None where nothing is to be run, so that the files need not be there."""
    guardrails_complete: bool = True
    """False if there may be guardrails that are not known here: those of a plugin, for example."""
    resolved: frozenset[SecretRef] = frozenset()
    """References to secrets that a plugin has, so that nothing else need have them."""
