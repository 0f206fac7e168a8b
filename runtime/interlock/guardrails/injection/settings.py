"""The settings of `injection`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from interlock.model.base import Document

__all__ = ["InjectionSettings"]


class InjectionSettings(Document):
    """The settings of `injection`."""

    sensitivity: Literal["low", "medium", "high"] = "medium"
    """How little it takes for a no; `high` finds more attacks and refuses more customers."""
    threshold: float | None = Field(default=None, gt=0, le=10, examples=[1.2])
    """The score from which on a text is denied, in place of `sensitivity`; 1.0 is `medium`."""
    classifier: Literal["never", "unsure", "always"] = "never"
    """When the model of the `validate` route is asked about texts that the rules let pass."""
