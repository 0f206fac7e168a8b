"""Rules for what customers write."""

from __future__ import annotations

from interlock.guardrails.injection.any_text_rules import ANY_TEXT_RULES
from interlock.guardrails.injection.rule import Rule

__all__ = ["USER_RULES"]

USER_RULES = (
    *ANY_TEXT_RULES,
    Rule(
        "override", 0.6, ("override", "all"), within=1, unless=("my", "asking_oneself", "reminder")
    ),
    Rule("override", 0.8, ("override", "previous", "just_print"), within=8),
    Rule("override", 0.5, ("override", "previous"), within=2, unless=("my", "asking_oneself")),
    Rule("override", 0.5, ("strictly",)),
    Rule("override", 0.4, ("new_orders",)),
    Rule("dictation", 0.5, ("just_print",)),
    # Asking for what the model was told, in other words.
    Rule("extraction", 1.0, ("reveal", "you_were_given"), within=6),
    Rule("extraction", 0.7, ("you_were_given", "conversation"), within=6),
    Rule("extraction", 1.0, ("reveal", "conversation", "verbatim"), within=8),
    Rule("extraction", 1.0, ("reveal", "previous", "verbatim"), within=10),
    Rule("extraction", 0.8, ("reveal", "all", "previous"), within=1),
    Rule("extraction", 0.8, ("reveal", "conversation", "previous"), within=2, unless=("my",)),
    Rule("extraction", 0.8, ("your", "instructions", "verbatim"), within=6),
    Rule("extraction", 0.6, ("my_instructions",)),
    Rule("extraction", 1.0, ("my_instructions", "start_with"), within=10),
    Rule("extraction", 1.0, ("how_made",)),
    Rule("extraction", 1.0, ("not_allowed", "reveal"), within=5),
    Rule("extraction", 0.8, ("reveal", "your", "configuration"), within=1),
    Rule("extraction", 0.4, ("start_with",)),
    # Another being in the model's place.
    Rule("identity", 0.6, ("you", "are", "now"), within=1, ordered=True),
    Rule("identity", 0.6, ("now_on", "you"), within=3),
    Rule("identity", 0.6, ("you", "are", "ai"), within=3, ordered=True),
    Rule("identity", 0.9, ("you", "are", "alias"), within=2, ordered=True),
    Rule("identity", 0.3, ("you", "are", "character"), within=4, ordered=True),
    Rule("persona", 0.9, ("anything_now",)),
    Rule("persona", 1.0, ("persona", "alias"), within=3, ordered=True),
    Rule("persona", 0.9, ("persona", "ai"), within=6),
    Rule("persona", 0.9, ("now_on", "persona"), within=8),
    Rule("persona", 0.7, ("persona", "without", "limits"), within=8),
    Rule("persona", 0.6, ("persona", "character"), within=5),
    Rule("persona", 1.0, ("new_part",)),
    Rule("persona", 1.0, ("persona", "lawless"), within=4),
    Rule("persona", 0.4, ("persona",)),
    Rule("role", 0.7, ("in_character", "never"), within=8),
    Rule("role", 0.5, ("in_character",)),
    Rule("role", 0.5, ("obey_all",)),
    Rule("role", 0.6, ("insert_prompt",)),
    Rule("role", 0.3, ("ai",)),
    # No to every no.
    Rule("no_refusal", 0.6, ("never", "refuse"), within=3, ordered=True),
    Rule("no_refusal", 0.6, ("never", "warning"), within=4, ordered=True),
    Rule("no_refusal", 0.9, ("never", "refuse", "warning"), within=12),
    Rule("authority", 1.0, ("i_am", "your", "maker"), within=1, ordered=True),
    Rule("authority", 0.6, ("i_am", "maker"), within=2, ordered=True),
    Rule("authority", 0.9, ("i_am", "system", "maker"), within=2, ordered=True),
    Rule("authority", 1.0, ("i_am", "maker", "obey"), within=8, ordered=True),
    Rule("authority", 1.0, ("i_am", "president", "obey"), within=8, ordered=True),
    Rule("authority", 0.4, ("i_am", "president"), within=3, ordered=True),
    # What only the shop may know.
    Rule("secrets", 1.0, ("reveal", "your", "password"), within=2, unless=("reset",)),
    Rule("secrets", 0.9, ("your", "password"), within=1, unless=("reset", "my")),
    Rule("secrets", 0.8, ("reveal", "secret", "password"), within=3),
    Rule("secrets", 1.0, ("reveal", "users", "person_data"), within=5),
    Rule("secrets", 0.8, ("users", "person_data"), within=3),
    Rule(
        "secrets", 0.6, ("reveal", "password"), within=3, unless=("reset", "my", "asking_oneself")
    ),
    Rule("system_claim", 1.0, ("ai", "enter", "mode"), within=6),
    Rule("system_claim", 0.7, ("important", "system", "instructions"), within=5),
)
"""For the stage `input`."""
