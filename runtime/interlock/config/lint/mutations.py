"""Whether what changes something can happen twice."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.config.placed import Placed
from interlock.diagnostics import Diagnostic
from interlock.model.tool import Tool

__all__ = ["describe_unsent_key", "find_repeatable_mutations", "find_unsent_keys"]


def find_repeatable_mutations(placed: Placed[Tool]) -> Iterator[Diagnostic]:
    """ILK-C022: a mutation without `idempotency`."""
    tool = placed.model
    if tool.is_mutation and tool.idempotency is None:
        way = "{header: Idempotency-Key, key: [...]}" if tool.http is not None else "{key: [...]}"
        yield placed.finding(
            "ILK-C022",
            f"'{tool.name}' changes something and has no 'idempotency': called twice, it happens"
            " twice",
            ("category",),
            hint=f"add 'idempotency: {way}'; 'key' lists the inputs that say which action it is",
            severity="warning",
        )


def find_unsent_keys(placed: Placed[Tool]) -> Iterator[Diagnostic]:
    """ILK-C023: a mutation by HTTP whose request does not carry the key."""
    tool = placed.model
    if tool.http is not None and tool.idempotency is not None and tool.idempotency.header is None:
        hint = "add 'header:', such as Idempotency-Key, if the server knows such keys"
        yield describe_unsent_key(placed, hint)


def describe_unsent_key(placed: Placed[Tool], hint: str) -> Diagnostic:
    """ILK-C023 for a tool whose key reaches nobody; `hint` is the way out."""
    return placed.finding(
        "ILK-C023",
        f"the idempotency key of '{placed.model.name}' is sent to nobody: after a crash in the"
        " middle of a call, nothing can tell whether it happened",
        ("idempotency",),
        hint=hint,
        severity="warning",
    )
