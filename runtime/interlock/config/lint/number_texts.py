"""Variables that are written as numbers and would be printed as other ones."""

from __future__ import annotations

from typing import Any

from interlock.config.placed import Placed

__all__ = ["check_variables"]


def check_variables(placed: Placed[Any]) -> None:
    """Reports values of `variables` such as 1.10, of which a prompt would make 1.1.

    Elsewhere a key takes either numbers or texts, and the type decides what is meant.
    """
    for name, value in placed.model.variables.items():
        text = placed.document.numbers.get(("variables", name))
        if text is not None:
            placed.report(
                "ILK-Y004",
                f"'{text}' is ambiguous: prompts would show it as {value}",
                ("variables", name),
                hint=f'write "{text}" for the text, or {value} for the number',
            )
