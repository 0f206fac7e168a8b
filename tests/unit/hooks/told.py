"""Where the plugins of a test put down what they were told."""

from __future__ import annotations

from typing import Any

TOLD: list[tuple[Any, ...]] = []
