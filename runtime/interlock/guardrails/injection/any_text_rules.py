"""Rules that hold wherever a text comes from."""

from __future__ import annotations

from interlock.guardrails.injection.rule import Rule

__all__ = ["ANY_TEXT_RULES"]

_OWN = ("my", "asking_oneself", "reminder", "goods")
_ASKED = (*_OWN, "shop_rules")

ANY_TEXT_RULES = (
    # Taking back what the model was told.
    Rule("override", 1.0, ("override", "previous", "instructions"), within=5, unless=_OWN),
    Rule("override", 1.0, ("override", "your", "instructions"), within=3, unless=_OWN),
    Rule("override", 1.0, ("override", "all", "instructions"), within=4, unless=_OWN),
    Rule("override", 1.0, ("override", "first_text"), within=4, unless=("asking_oneself",)),
    Rule("override", 0.8, ("override", "previous", "told"), within=4, unless=_OWN),
    Rule("override", 1.0, ("override", "all", "told"), within=4, unless=_OWN),
    Rule("override", 0.6, ("override", "all", "previous"), within=3, unless=_OWN),
    Rule("override", 0.5, ("override", "instructions"), within=3, unless=_OWN),
    Rule("override", 0.8, ("your", "instructions", "changed"), within=3, ordered=True, unless=_OWN),
    Rule("override", 1.0, ("your", "previous", "instructions", "changed"), within=3),
    Rule("override", 0.8, ("safety", "instructions", "disabled"), within=2),
    # Asking for what the model was told.
    Rule("extraction", 1.0, ("reveal", "first_text"), within=8, unless=("my",)),
    Rule("extraction", 1.0, ("reveal", "your", "instructions"), within=2, unless=_ASKED),
    Rule("extraction", 1.0, ("reveal", "system", "instructions"), within=1, unless=_OWN),
    Rule("extraction", 0.6, ("reveal", "guarded_data"), within=4, unless=("my",)),
    # Rules that are said to be gone.
    Rule("unrestricted", 1.0, ("ai", "without", "limits"), within=6),
    Rule("unrestricted", 0.7, ("you", "without", "limits"), within=3, unless=("asking_oneself",)),
    Rule("unrestricted", 0.4, ("without", "limits"), within=3),
    Rule("unrestricted", 0.6, ("lawless", "ai"), within=6),
    Rule("unrestricted", 0.4, ("lawless", "response"), within=4),
    Rule("unrestricted", 1.0, ("jailbreak",)),
    Rule("unrestricted", 0.3, ("lawless",)),
    # Encoded orders.
    Rule("obfuscation", 1.0, ("decode", "obey"), within=10),
    Rule("obfuscation", 1.0, ("decode", "encoding", "instructions"), within=8),
    Rule("obfuscation", 1.0, ("encoding", "carry_out_decoded"), within=6),
    # Claims to speak for who runs the system.
    Rule("system_claim", 0.9, ("special_mode",)),
    Rule("system_claim", 0.6, ("enter", "mode"), within=4),
    Rule("system_claim", 1.0, ("enter", "override", "mode"), within=4),
)
"""For every channel."""
