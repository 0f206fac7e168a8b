"""A simulator of the Messages API, whose replies are decided by YAML rules."""

from __future__ import annotations

from interlock.sim.app import create_app
from interlock.sim.loading import SimRulesError, load_rules, parse_rules
from interlock.sim.rules import SimRules
from interlock.sim.server import SimServer, serve

__all__ = [
    "SimRules",
    "SimRulesError",
    "SimServer",
    "create_app",
    "load_rules",
    "parse_rules",
    "serve",
]
