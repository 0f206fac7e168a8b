"""`injection`: refuses texts that try to give the model orders of their own."""

from interlock.guardrails.injection.guardrail import Injection
from interlock.guardrails.injection.settings import InjectionSettings

__all__ = ["Injection", "InjectionSettings"]
