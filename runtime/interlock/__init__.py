"""Interlock runs AI agents that are declared in YAML: bounded, honest, and changeable live."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("interlock-runtime")
