"""Arithmetic on measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["percentile"]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share` of all values."""
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]
