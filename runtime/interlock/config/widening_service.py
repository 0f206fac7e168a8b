"""Which changes of the service, and of the code in `plugins/`, widen what may be done or spent."""

from __future__ import annotations

from interlock.config import widening_conditions as when
from interlock.config.widening_rule import Rule

__all__ = ["SERVICE_RULES"]

SERVICE_RULES: tuple[Rule, ...] = (
    Rule(
        "service",
        "server.host",
        "changed to an address that is not loopback",
        when.host_is_reachable,
        "other machines can reach the service",
    ),
    Rule("service", "server.maxBodyBytes", "raised", when.raised, "larger requests are taken"),
    Rule("service", "auth.keys[*]", "added", when.added, "one more key may use the API"),
    Rule(
        "service",
        "auth.keys[*]",
        "removed as the last one",
        when.last_key_removed,
        "whoever reaches the service may use it without a key",
    ),
    Rule("service", "auth.keys[*].*", "changed", when.changed, "another key may use the API"),
    Rule(
        "service",
        "reload.mode",
        "changed to `auto`",
        when.becomes("auto"),
        "what is saved takes effect by itself",
    ),
    Rule(
        "service",
        "reload.maxRemoved",
        "raised",
        when.raised,
        "one change may remove more agents",
    ),
    Rule(
        "service",
        "reload.drainTimeout",
        "raised",
        when.raised,
        "turns may go on for longer with what has been replaced",
    ),
    Rule(
        "service",
        "reload.maxStale",
        "raised or removed",
        when.raised_or_removed,
        "the service stays ready for longer while its files cannot be applied",
    ),
    Rule(
        "service",
        "reload.followSymlinks",
        "changed to `true`",
        when.becomes(True),
        "files outside of the project count",
    ),
    Rule(
        "service",
        "providers.*.baseUrl.**",
        "changed",
        when.changed,
        "conversations are sent to another server",
    ),
    Rule("service", "providers.*.timeout", "raised", when.raised, "a model call may take longer"),
    Rule(
        "service",
        "providers.*.maxConcurrency",
        "raised",
        when.raised,
        "more model calls may be under way at once",
    ),
    Rule(
        "service",
        "providers.*.retry.attempts",
        "raised",
        when.raised,
        "a failed model call is made more often",
    ),
    Rule(
        "service",
        "models.*.provider",
        "changed",
        when.changed,
        "conversations are sent to another server",
    ),
    Rule("service", "models.*.maxTokens", "raised", when.raised, "one reply may be longer"),
    Rule(
        "service",
        "models.*.extraBody.**",
        "changed",
        when.changed,
        "fields that nothing checks are sent to the model",
    ),
    Rule(
        "service",
        "models.*.model",
        "the worst case of an agent that uses it grows",
        when.model_cost_grows,
        "a conversation may cost more",
    ),
    Rule(
        "service",
        "prices.**",
        "lowered, or no longer known",
        when.price_lowered,
        "budgets count less for the same call",
    ),
    Rule(
        "service",
        "environment.*",
        "changed",
        when.replaced,
        "tools may send their requests elsewhere",
    ),
    Rule(
        "service",
        "plugins.required[*]",
        "removed",
        when.removed,
        "the service may run without a plugin that it needed",
    ),
    Rule("service", "plugins.disable[*]", "added", when.added, "the checks of a plugin are gone"),
    Rule(
        "service",
        "plugins.dropIns",
        "changed",
        when.changed,
        "other code runs, and other checks, than before",
    ),
    Rule(
        "service",
        "plugins.settings.**",
        "changed",
        when.changed,
        "a plugin may let more pass",
    ),
    Rule(
        "service",
        "plugins.limits.*.timeout",
        "raised or removed",
        when.raised_or_removed,
        "a plugin may hold a turn up for longer",
    ),
    Rule(
        "service",
        "plugins.limits.*.onError",
        "changed to `allow`",
        when.becomes("allow"),
        "what a plugin that fails should have checked passes",
    ),
    Rule("service", "sinks[*]", "added", when.added, "conversations are sent to one more place"),
    Rule(
        "service",
        "sinks[*].with.**",
        "changed",
        when.changed,
        "conversations are sent to another place",
    ),
    Rule("plugin", "", "added or changed", when.still_there, "code runs with the service's rights"),
)
"""Every rule on interlock.yaml and on plugins."""
