"""For whoever writes plugins: a contract suite, and a runtime in memory with a scripted model."""

from __future__ import annotations

from interlock.testing.contract import check_plugin
from interlock.testing.harness import Harness, Said, run_project
from interlock.testing.model import Call, ScriptedModel

__all__ = ["Call", "Harness", "Said", "ScriptedModel", "check_plugin", "run_project"]
