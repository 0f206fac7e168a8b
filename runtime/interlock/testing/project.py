"""The smallest project that is valid, to which a test adds what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SMALL_PROJECT"]

SMALL_PROJECT: Mapping[str, str] = MappingProxyType(
    {
        "interlock.yaml": """\
providers:
  scripted: {apiKey: {env: INTERLOCK_SCRIPTED, default: none}}
models:
  scripted: {provider: scripted, model: scripted}
prices:
  scripted: {input: 1, output: 1}
""",
        "agents.d/support.yaml": """\
name: support
description: Answers customers.
models: {plan: scripted, execute: scripted}
tools: [call_a_person]
prompts: {system: You answer customers.}
""",
        "tools.d/people.yaml": """\
name: call_a_person
category: escalation
description: Calls a person.
whenToUse: The customer asks for a person.
whenNotToUse: A tool can help.
""",
    }
)
"""Files by path: an agent `support` that can answer, and call a person."""
