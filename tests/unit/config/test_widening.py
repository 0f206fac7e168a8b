"""Which changes are marked as widening: each rule, its opposite, and that no key was forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from interlock.config.diff import diff
from interlock.config.widening import RULES
from interlock.config.widening_rule import matches
from interlock.guardrails import SETTINGS
from interlock.model.agent import Agent
from interlock.model.settings import PriceEntry, Settings
from interlock.model.tool import Tool
from interlock.model.usage import Price, PriceRow
from interlock.service.listening import is_loopback
from tests.unit.config.edits import GONE, changes, project, snapshot, with_edit

BASE = project()
LENGTH = {"use": "max_length"}
SINK = {"use": "jsonl"}
URL = {"env": "A", "default": "http://a"}
HOOK = {"url": "http://a", "secret": {"env": "A", "default": "x"}}
KEYS = {"keys": [{"name": "ci", "sha256": "a" * 64}, {"name": "ops", "sha256": "b" * 64}]}
SIGNED = {"algorithm": "HS256", "key": URL}
ROTATED = {"algorithm": "HS256", "keys": [{"key": URL}, {"kid": "b", "key": URL}]}
PYTHON = {
    "category": "search",
    "description": "Lists orders.",
    "whenToUse": "The customer has no number.",
    "python": {"function": "plugins/x.py:f"},
}
REFUSING = {"function": "plugins/x.py:f", "refusals": ["ValueError"]}
MUTATION = {**PYTHON, "category": "mutation"}
AGENT = {
    "description": "Buys.",
    "models": {"plan": "own", "execute": "own"},
    "tools": ["call_a_person"],
    "prompts": {"system": "You buy."},
}

# What is set to one value and then to another; whether that is widening, and whether the way back
# is.
CASES: list[tuple[str, Any, Any, bool, bool]] = [
    ("agents/buying", GONE, AGENT, True, False),
    ("agents/support/limits/maxIterations", 5, 6, True, False),
    ("agents/support/limits/maxTokens", 40_000, 50_000, True, False),
    ("agents/support/limits/maxCostUsd", 0.1, 0.2, True, False),
    ("agents/support/limits/maxCostUsd", 0.1, GONE, True, False),
    ("agents/support/limits/turnTimeout", "30s", "1m", True, False),
    ("agents/support/limits/toolTimeout", "900ms", "1s", True, False),
    ("agents/support/limits/warnAt", 0.7, 0.8, True, False),
    ("agents/support/limits/reserveForFinal", 2000, 1000, True, False),
    ("agents/support/limits/transcriptTokens", 8000, 9000, True, False),
    ("agents/support/limits/onExhausted", "escalate", "complete", True, False),
    ("agents/sales/models/execute", "own", "sonnet", True, False),
    ("agents/sales/models/reason", GONE, "sonnet", True, False),
    ("agents/sales/tools", ["get_order"], ["get_order", "call_a_person"], True, False),
    ("agents/support/toolSelection/max", 4, 5, True, False),
    ("agents/support/toolSelection/steps/respond", ["lookup"], ["lookup", "search"], True, False),
    ("agents/support/toolSelection/steps/respond", [], ["lookup"], True, False),
    ("agents/support/guardrails/output", [LENGTH], [], True, False),
    ("agents/support/guardrails/output", [LENGTH, LENGTH], [LENGTH], True, False),
    ("agents/support/guardrails/output/0/with", {"characters": 5}, {}, True, False),
    ("agents/support/guardrails/output/0/onViolation", "escalate", "revise", True, False),
    ("agents/support/guardrails/output/0/onViolation", "refuse", GONE, True, False),
    ("agents/support/guardrails/output/0/onError", "deny", "allow", True, False),
    ("agents/support/guardrails/output/0/timeout", "6s", "4s", True, False),
    ("agents/support/guardrails/onViolation", "escalate", "revise", True, False),
    ("agents/support/guardrails/onViolation", "refuse", "escalate", False, False),
    ("agents/support/breakers/repetition/identicalCalls", 3, 4, True, False),
    ("agents/support/breakers/repetition/sameResult", 3, 4, True, False),
    ("agents/support/breakers/repetition/polls", 3, 4, True, False),
    ("agents/support/breakers/toolFailures/afterIteration", 3, 4, True, False),
    ("agents/support/breakers/toolFailures/consecutive", 3, 4, True, False),
    ("agents/support/escalation/sla", "5m", "10m", True, False),
    ("agents/support/escalation/sla", "5m", GONE, True, False),
    ("tools/new", GONE, MUTATION, True, False),
    ("tools/new", GONE, PYTHON, False, False),
    ("tools/list_orders/category", "search", "lookup", True, True),
    ("tools/get_order/input/required", ["order_id"], ["order_id", "state"], False, True),
    ("tools/get_order/bind/customer_id", "{{ session.a }}", "{{ session.b }}", True, True),
    ("tools/get_order/bind/more", "{{ session.a }}", GONE, True, False),
    ("tools/list_orders", BASE.tools["list_orders"], PYTHON, True, True),
    ("tools/list_orders", PYTHON, {**PYTHON, "python": {"function": "plugins/x.py:g"}}, True, True),
    ("tools/list_orders", PYTHON, {**PYTHON, "python": REFUSING}, True, False),
    ("tools/cancel_order/http/method", "POST", "PUT", True, True),
    ("tools/get_order/http/url", "https://a.example/", "https://b.example/", True, True),
    ("tools/get_order/http/headers/A", "a", "b", True, True),
    ("tools/get_order/http/headers/A", GONE, "b", False, True),
    ("tools/get_order/http/query/a", GONE, "b", False, True),
    ("tools/cancel_order/http/body", GONE, {"order": "1"}, True, True),
    ("tools/cancel_order/http/body/more", GONE, "1", True, True),
    ("tools/get_order/http/retry/attempts", 2, 3, True, False),
    ("tools/get_order/http/maxBytes", 2, 3, True, False),
    ("tools/get_order/timeout", "1s", "2s", True, False),
    ("tools/get_order/timeout", GONE, "11s", True, False),
    ("tools/get_order/timeout", GONE, "9s", False, True),
    ("tools/get_order/result/select", GONE, "a", False, True),
    ("tools/get_order/result/select", "a", "b", True, True),
    ("tools/get_order/result/maxTokens", 100, 101, True, False),
    ("tools/cancel_order/idempotency", {}, GONE, True, False),
    ("tools/cancel_order/idempotency/header", "A", "B", True, True),
    ("tools/cancel_order/idempotency/header", "A", GONE, True, False),
    ("tools/cancel_order/idempotency/key", ["order_id"], ["order_id", "reason"], True, False),
    ("tools/cancel_order/idempotency/key", ["order_id"], ["reason"], True, True),
    ("tools/cancel_order/idempotency/key", ["order_id"], [], True, False),
    ("tools/cancel_order/approval", GONE, {"why": "x"}, False, True),
    ("tools/cancel_order/approval/when", "{{ true }}", "{{ false }}", True, True),
    ("tools/cancel_order/loop/key", ["order_id"], ["reason"], True, True),
    ("tools/cancel_order/loop/maxPolls", 5, 6, True, False),
    ("tools/cancel_order/loop/maxPolls", 11, GONE, True, False),
    ("tools/cancel_order/loop/maxPolls", 13, GONE, False, True),
    ("tools/cancel_order/loop/maxIdentical", GONE, 4, True, False),
    ("tools/cancel_order/loop/maxSameResult", GONE, 5, False, True),
    ("service/server/host", "127.0.0.1", "0.0.0.0", True, False),
    ("service/server/host", "10.0.0.1", "bots.example", True, True),
    ("service/server/host", "127.0.0.1", "::1", False, False),
    ("service/server/maxBodyBytes", 2000, 3000, True, False),
    ("service/reload/mode", "manual", "auto", True, False),
    ("service/reload/maxRemoved", 0.4, 0.5, True, False),
    ("service/reload/canary", {"share": "10%"}, {"share": "20%"}, True, False),
    ("service/reload/canary", {"abortOn": {}}, {"abortOn": {"costPerTurn": "2x"}}, True, False),
    ("service/reload/drainTimeout", "1m", "2m", True, False),
    ("service/reload/maxStale", "1m", GONE, True, False),
    ("service/reload/followSymlinks", GONE, True, True, False),
    ("service/people", {"webhook": HOOK}, {"webhook": HOOK | {"url": "http://b"}}, True, True),
    ("service/auth/keys", KEYS["keys"][:1], KEYS["keys"], True, False),
    ("service/auth/keys", [], KEYS["keys"], True, True),
    ("service/auth/keys/0/sha256", "c" * 64, "d" * 64, True, True),
    ("service/auth/keys/0/role", "chat", "operator", True, True),
    ("service/auth/sessions", SIGNED, GONE, True, False),
    ("service/auth/sessions", SIGNED, SIGNED | {"algorithm": "RS256"}, True, True),
    ("service/auth/sessions", SIGNED, SIGNED | {"key": URL | {"env": "C"}}, True, True),
    ("service/auth/sessions", ROTATED, ROTATED | {"keys": [{"key": URL}] * 2}, True, True),
    ("service/auth/sessions", SIGNED, SIGNED | {"issuer": "a"}, False, True),
    ("service/auth/sessions", SIGNED, SIGNED | {"audience": "a"}, False, True),
    ("service/auth/sessions", SIGNED, SIGNED | {"customerClaim": "a"}, True, True),
    ("service/auth/sessions", SIGNED, SIGNED | {"leeway": "31s"}, True, False),
    ("service/auth/sessions", SIGNED, SIGNED | {"required": False}, True, False),
    ("service/customers/openTurns", 3, 4, True, False),
    ("service/customers/messagesPerMinute", 20, GONE, True, False),
    ("service/providers/main/baseUrl", "http://a", "http://b", True, True),
    ("service/providers/main/baseUrl", URL, URL | {"default": "http://b"}, True, True),
    ("service/providers/main/timeout", "1s", "2s", True, False),
    ("service/providers/main/maxConcurrency", 1, 2, True, False),
    ("service/providers/main/retry/attempts", 1, 2, True, False),
    ("service/models/own/provider", "main", "other", True, True),
    ("service/models/haiku/maxTokens", 1000, 1001, True, False),
    ("service/models/own/model", "own-model", "claude-sonnet-5-5", True, False),
    ("service/models/own/model", "own-model", "unknown", True, False),
    ("service/models/own/extraBody/a", 1, 2, True, True),
    ("service/prices/own-model/output", 2, 1.9, True, False),
    ("service/prices/own-model/cacheWrite1h", GONE, 0.5, True, False),
    ("service/prices/own-model/cacheWrite1h", GONE, 2, False, True),
    ("service/prices/own-model", {"input": 1, "output": 2}, GONE, True, False),
    ("service/prices/claude-haiku-5-5", {"input": 0.01, "output": 100}, GONE, True, True),
    ("tools/get_order/breaker/errorRate", 0.4, 0.5, True, False),
    ("service/breakers/provider/errorRate", 0.4, 0.5, True, False),
    ("tools/get_order/breaker/minCalls", 5, 6, True, False),
    ("service/breakers/provider/minCalls", 5, 6, True, False),
    ("tools/get_order/breaker/probes", 1, 2, True, False),
    ("service/breakers/provider/probes", 1, 2, True, False),
    ("tools/get_order/breaker/openFor", "2s", "1s", True, False),
    ("service/breakers/provider/openFor", "2s", "1s", True, False),
    ("tools/get_order/breaker/maxOpenFor", "2s", "1s", True, False),
    ("service/breakers/provider/maxOpenFor", "2s", "1s", True, False),
    ("service/breakers/escalationRate/above", 0.3, 0.4, True, False),
    ("service/breakers/escalationRate/recoverBelow", 0.05, 0.06, True, False),
    ("service/breakers/escalationRate/minConversations", 5, 6, True, False),
    ("service/breakers/escalationRate/floor", 0.2, 0.3, True, False),
    ("service/breakers/escalationRate/recoverStep", 0.2, 0.3, True, False),
    ("service/breakers/escalationRate/recoverEvery", "2m", "1m", True, False),
    ("service/breakers/costSpike/factor", 3, 4, True, False),
    ("service/breakers/costSpike/recoverBelow", 1.1, 1.2, True, False),
    ("service/breakers/costSpike/minHours", 3, 4, True, False),
    ("service/breakers/costSpike/minUsd", 1, 2, True, False),
    ("service/spend/perHourUsd", 1, 2, True, False),
    ("service/spend/perCustomerPerDayUsd", 1, GONE, True, False),
    ("service/alerts/webhook", HOOK, GONE, True, False),
    ("service/alerts/webhook/url", "http://a", "http://b", True, True),
    ("service/environment/SHOP_URL", "http://a", "http://b", True, True),
    ("service/plugins/required", ["a"], ["a", "b"], False, True),
    ("service/plugins/disable", [], ["a"], True, False),
    ("service/plugins/dropIns", True, False, True, True),
    ("service/plugins/settings", {"a": {"b": 1}}, {"a": {"b": 2}}, True, True),
    ("service/plugins/limits", {"a": {"timeout": "1s"}}, {"a": {"timeout": "2s"}}, True, False),
    ("service/plugins/limits", {"a": {}}, {"a": {"onError": "allow"}}, True, False),
    ("service/sinks", [], [{"use": "console"}], True, False),
    ("service/sinks", [SINK | {"with": {"a": 1}}], [SINK | {"with": {"a": 2}}], True, True),
    ("files/plugins/x.py", b"X = 2", b"X = 3", True, True),
    ("files/plugins~y.py", GONE, b"X = 3", True, False),
    # What is not judged.
    ("agents/support/prompts/system", "Be strict.", "Be lax.", False, False),
    ("agents/support/reinforcement", [], [{"every": 1, "text": "x"}], False, False),
    ("agents/support/planner/replan", "always", "onChange", False, False),
    ("service/server/port", 1, 2, False, False),
]  # fmt: skip


def between(path: str, before: Any, after: Any) -> bool:
    if path.startswith("files/"):
        start, end = project(), project()
        name = path.removeprefix("files/").replace("~", "/")
        for made, data in ((start, before), (end, after)):
            if data is GONE:
                made.files.pop(name, None)
            else:
                made.files[name] = data
    else:
        start, end = with_edit(BASE, path, before), with_edit(BASE, path, after)
    found = changes(start, end)
    assert found
    return any(change.widening for change in found)


@pytest.mark.parametrize(
    ("path", "before", "after", "forth", "back"), CASES, ids=lambda value: str(value)[:60]
)
def test_a_change_is_widening_one_way_or_the_other(
    path: str, before: Any, after: Any, forth: bool, back: bool
) -> None:
    assert between(path, before, after) is forth
    assert between(path, after, before) is back


@pytest.mark.parametrize(("flat", "widening"), [(1, True), (2, True), (4, False)])
def test_a_price_is_lower_if_it_is_for_a_prompt_of_any_size(flat: int, widening: bool) -> None:
    def row(rate: int) -> PriceRow:
        return PriceRow(*[rate * 1_000_000] * 5)

    def tiered(model: str, overrides: Mapping[str, PriceEntry]) -> Price:
        own = overrides.get(model)
        rows = ((0, row(1)), (200_000, row(4))) if own is None else ((0, row(int(own.input))),)
        return Price(rows, "test")

    after = snapshot(with_edit(BASE, "service/prices/new", {"input": flat, "output": flat}))
    before = snapshot(BASE)
    assert before is not None
    assert after is not None
    [change] = diff(before, after, tiered, guardrails=SETTINGS)
    assert change.widening is widening


def test_every_rule_is_shown_by_a_case() -> None:
    reasons: set[str] = set()
    for path, before, after, *_ in CASES:
        if not path.startswith("files/"):
            start, end = with_edit(BASE, path, before), with_edit(BASE, path, after)
            for found in (changes(start, end), changes(end, start)):
                reasons |= {
                    f"{change.subject.split()[0]} {part}"
                    for change in found
                    if change.widening
                    for part in (change.note or "").split("; ")
                }
    told = {
        (rule.subject, rule.reason)
        for rule in RULES
        if f"{rule.subject} {rule.reason}" not in reasons
    }
    # A note on costs stands in the place of these, and plugins are files.
    assert told == {
        ("agent", "a conversation may use more tokens"),
        ("agent", "a conversation may cost more"),
        ("plugin", "code runs with the service's rights"),
    }


# The keys that no rule is about: whatever they change to, nobody may do or spend more.
NOT_JUDGED = {
    "agent": """
        name description planner.replan prompts.system prompts.planner variables.*
        reinforcement[*] reinforcement[*].every reinforcement[*].text
        guardrails.input[*].use guardrails.toolCall[*].use guardrails.toolResult[*].use
        guardrails.output[*].use
        fastPaths[*] fastPaths[*].name fastPaths[*].match.patterns fastPaths[*].match.maxCharacters
        fastPaths[*].call.tool fastPaths[*].call.input.*
        escalation.queue escalation.message replies.refused replies.incomplete replies.failed
        escalation.waiting escalation.priority
        replies.approvalPending replies.approvalDone replies.approvalDenied
    """,
    "tool": """
        name description whenToUse whenNotToUse http.notFound[*] http.retry.delay
        approval.why approval.wait approval.expires
        breaker.window
    """,
    "service": """
        server.port server.drainTimeout store.url store.url.env store.url.default
        reload.quiet reload.resync reload.stateDir reload.canary.for reload.canary.minTurns
        providers.*.kind providers.*.apiKey.env providers.*.apiKey.default providers.*.apiKey.file
        providers.*.stream providers.*.headers.* providers.*.headers.*.env
        providers.*.headers.*.default providers.*.headers.*.file
        providers.*.retry.delay providers.*.retry.maxDelay
        people.unattended people.webhook.secret.env people.webhook.secret.default
        people.webhook.secret.file people.webhook.timeout people.webhook.attempts
        breakers.escalationRate.window breakers.costSpike.hours breakers.provider.window
        alerts.webhook.secret.env alerts.webhook.secret.default alerts.webhook.secret.file
        alerts.webhook.timeout alerts.webhook.attempts
        plugins.limits.*.maxStuck plugins.limits.*.queue sinks[*].use
        models.*.effort models.*.structuredOutput models.*.promptCaching variables.*
    """,
}
_LISTS = {
    "tools", "guardrails.input", "guardrails.toolCall", "guardrails.toolResult",
    "guardrails.output", "fastPaths", "reinforcement", "http.notFound", "auth.keys",
    "python.refusals",
    "toolSelection.steps.*", "plugins.required", "plugins.disable", "sinks",
}  # fmt: skip


def keys(model: type[BaseModel], at: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{at}.{field.alias or name}".lstrip(".")
        yield from _of(field.annotation, path)


def _of(annotation: Any, path: str) -> Iterator[str]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        for argument in arguments:
            if argument is not type(None):
                yield from _of(argument, path)
    elif origin is dict:
        yield from _of(arguments[1], f"{path}.*")
    elif origin is tuple:
        yield from _of(arguments[0], f"{path}[*]" if path in _LISTS else path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation.__name__ == "FileRef":
            yield path
        else:
            yield from keys(annotation, path)
    else:
        yield path


@pytest.mark.parametrize(
    ("subject", "model"), [("agent", Agent), ("tool", Tool), ("service", Settings)]
)
def test_of_every_key_it_was_decided_whether_it_can_widen(
    subject: str, model: type[BaseModel]
) -> None:
    neutral = NOT_JUDGED[subject].split()
    rules = [rule.path for rule in RULES if rule.subject == subject]
    undecided = []
    for key in dict.fromkeys(keys(model)):
        path = tuple(_segments(key))
        judged = any(matches(rule, path) for rule in rules)
        if judged == (key in neutral):
            undecided.append(key)
    assert not undecided, "make a rule in config/widening_*.py, or add the key to NOT_JUDGED above"


def _segments(key: str) -> Iterator[str]:
    for part in key.replace("[", ".[").split("."):
        if part:
            yield "x" if part == "*" else part


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "localhost",
        "LocalHost",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "a.b",
        "",
    ],
)
def test_a_host_is_reachable_for_the_plan_as_it_is_for_the_service(host: str) -> None:
    start = with_edit(BASE, "service/server/host", "127.0.0.2")
    [change] = changes(start, with_edit(BASE, "service/server/host", host))
    assert change.widening is not is_loopback(host)
    assert change.restart_needed
