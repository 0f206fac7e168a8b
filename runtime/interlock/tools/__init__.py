"""Carrying a tool call out, over HTTP or in Python, with exactly one honest result for each."""

from __future__ import annotations

from interlock.tools.errors import NotFound, ToolError

__all__ = ["NotFound", "ToolError"]
