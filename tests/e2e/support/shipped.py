"""The repository's own project and the rules of its simulator."""

from __future__ import annotations

from pathlib import Path

from interlock.config.source import Source, read_tree
from interlock.sim import SimRules, load_rules
from tests.e2e.support.simulator import read_rules

ROOT = Path(__file__).parents[3]


def shipped_project() -> Source:
    """`interlock.yaml`, `agents.d/`, `tools.d/` and `plugins/` as they are."""
    return read_tree(ROOT)


def shipped_rules(first: str = "") -> SimRules:
    """`examples/shop/sim.yaml` without its latency, after the rules of the YAML list `first`."""
    shipped = load_rules(ROOT / "examples" / "shop" / "sim.yaml")
    before = read_rules(first).rules if first else ()
    return shipped.model_copy(update={"latency": None, "rules": (*before, *shipped.rules)})
