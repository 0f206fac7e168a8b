"""What a change looks like: its path, its texts, its note, and its lines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from interlock.config.diff import Change, diff
from interlock.config.diff_cost import dollars
from interlock.config.diff_lines import describe, excerpt, summary
from interlock.guardrails import SETTINGS
from interlock.model.settings import Settings
from tests.unit.config.edits import GONE, Project, changes, price, project, snapshot, with_edit

BASE = project()
HASH = "a" * 64


def lines(*made: tuple[str, Any], start: Project = BASE) -> list[str]:
    end = start
    for path, value in made:
        end = with_edit(end, path, value)
    return [describe(change) for change in changes(start, end)]


def test_a_raised_limit_says_what_a_conversation_may_cost_then() -> None:
    price = {"input": 1, "output": 8.2}
    start = with_edit(BASE, "service/prices/own-model", price)
    assert lines(("agents/sales/limits/maxTokens", 80_000), start=start) == [
        "sales: limits.maxTokens 50000 → 80000"
        " (widening: worst case $0.41 → $0.66 per conversation)"
    ]


def test_a_cost_limit_that_keeps_the_worst_case_is_told_as_such() -> None:
    start = with_edit(BASE, "agents/support/limits/maxCostUsd", 0.25)
    assert lines(("agents/support/limits/maxTokens", 80_000), start=start) == [
        "support: limits.maxTokens 50000 → 80000"
        " (widening: worst case stays $0.25 per conversation)"
    ]


def test_a_price_that_nobody_knows_makes_the_worst_case_unknown() -> None:
    assert lines(("service/models/own/model", "nobody-knows-it")) == [
        "service: models.own.model own-model → nobody-knows-it"
        " (widening: a conversation may cost more;"
        " worst case per conversation: sales $0.13 → unknown)"
    ]
    start = with_edit(BASE, "service/models/own/model", "nobody-knows-it")
    assert lines(("agents/sales/limits/maxTokens", 60_000), start=start) == [
        "sales: limits.maxTokens 50000 → 60000 (widening: worst case stays unknown"
        " per conversation, as the price of nobody-knows-it is unknown)"
    ]


def test_of_many_agents_whose_worst_case_changes_a_few_are_named() -> None:
    start = BASE
    for name in ("a", "b", "c", "d"):
        start = with_edit(start, f"agents/{name}", BASE.agents["sales"])
    assert lines(("service/prices/own-model/output", 1), start=start) == [
        "service: prices.own-model.output 2.5 → 1 (widening: budgets count less for the same call;"
        " worst case per conversation: a $0.13 → $0.05, b $0.13 → $0.05, c $0.13 → $0.05"
        " and 2 more)"
    ]


def test_agents_tools_and_plugins_as_a_whole() -> None:
    assert lines(("agents/more", BASE.agents["sales"]), ("agents/sales", GONE)) == [
        "more: added (widening: a new agent can be used; worst case $0.13 per conversation)",
        "sales: removed",
    ]
    tool = {**BASE.tools["cancel_order"], "description": "Another."}
    added = with_edit(BASE, "tools/another", tool)
    assert lines(("tools/another", tool)) == [
        "tool another: added (widening: a new tool changes something)"
    ]
    [change] = changes(BASE, added)
    assert (change.path, change.before, change.after) == ("", None, "Another.")
    end = project()
    end.files |= {"plugins/x.py": b"X = 2\n", "plugins/y.py": b""}
    assert [describe(change) for change in changes(BASE, end)] == [
        "plugins/x.py: sha256 0abae1e0ae72 → sha256 1b751968cbb3"
        " (widening: code runs with the service's rights)",
        "plugins/y.py: added: sha256 e3b0c44298fc (widening: code runs with the service's rights)",
    ]


def test_an_agent_that_is_called_like_the_service_is_told_from_it() -> None:
    start = with_edit(BASE, "agents/service", BASE.agents["sales"])
    assert lines(("agents/service/description", "Serves."), start=start) == [
        "agent service: description Sells. → Serves."
    ]


def test_parts_of_lists_go_by_their_names() -> None:
    guardrails = {"output": [{"use": "max_length", "with": {"characters": 6000}}]}
    assert lines(
        ("agents/sales/tools", ["list_orders", "call_a_person"]),
        ("agents/support/guardrails", guardrails),
        ("agents/support/fastPaths", BASE.agents["support"]["fastPaths"][::-1]),
        ("tools/get_order/http/notFound", [404, 410]),
    ) == [
        "sales: tools[list_orders] added (widening: the agent may use one more tool)",
        "sales: tools[get_order] removed",
        "support: guardrails.input[max_length] removed:"
        " {use: max_length, with: {characters: 400}, onError: deny, timeout: 5s}"
        " (widening: a check is gone)",
        "support: guardrails.input[max_length#2] removed:"
        " {use: max_length, with: {characters: 300}, onError: deny, timeout: 5s}"
        " (widening: a check is gone)",
        "support: guardrails.output[max_length].with.characters 5000 → 6000"
        " (widening: a check may let more pass)",
        "support: fastPaths (order) [order, all] → [all, order]",
        "tool get_order: http.notFound[410] added",
    ]


def test_the_service_says_what_takes_a_restart() -> None:
    made = with_edit(with_edit(BASE, "service/server/port", 9090), "service/server/host", "0.0.0.0")
    made = with_edit(made, "service/store", {"url": {"env": "STORE", "default": "sqlite:///a.db"}})
    found = changes(BASE, made)
    assert [describe(change) for change in found] == [
        "service: server.host 127.0.0.1 → 0.0.0.0"
        " (widening: other machines can reach the service; restart needed)",
        "service: server.port 8080 → 9090 (restart needed)",
        "service: store.url sqlite:///var/interlock.db → {env: STORE, default: 'sqlite:///a.db'}"
        " (restart needed)",
    ]
    assert summary(found) == [
        "3 changes, 1 of them widening",
        "restart needed: server.host, server.port, store.url",
    ]


def test_no_changes_and_one_change_are_counted_like_others() -> None:
    assert summary(()) == ["no changes"]
    assert summary(changes(BASE, with_edit(BASE, "agents/sales/description", "x"))) == ["1 change"]


def test_long_texts_show_where_they_differ() -> None:
    text = "One.\n" * 10 + "Two.\n" + "Three.\n" * 10
    start = with_edit(BASE, "agents/sales/prompts/system", text)
    end = with_edit(BASE, "agents/sales/prompts/system", text.replace("Two", "2"))
    [change] = changes(start, end)
    assert describe(change) == "sales: prompts.system changed"
    assert excerpt(change) == [" One.", "-Two.", "+2.", " Three."]
    assert change.before == text
    [change] = changes(start, with_edit(BASE, "agents/sales/prompts/system", "2\n" * 30))
    assert len(excerpt(change)) == 13
    assert excerpt(change)[-1] == "... 39 more lines"
    [change] = changes(start, with_edit(BASE, "agents/sales/prompts/system", text + "\n"))
    assert describe(change) == "sales: prompts.system changed"
    assert excerpt(change) == [" Three.", "+"]
    [change] = changes(start, with_edit(BASE, "agents/sales/prompts/system", text[:-1]))
    assert excerpt(change) == ["... only the ends of lines differ"]


def test_a_prompt_that_comes_or_goes_is_shown_too() -> None:
    [change] = changes(BASE, with_edit(BASE, "agents/support/prompts/planner"))
    assert describe(change) == "support: prompts.planner removed"
    assert excerpt(change) == ["-Plan for {{ company }}.", "-Be brief."]


def test_long_lists_are_compared_line_by_line() -> None:
    patterns = [f"^the {name} (?P<id>[0-9]+) of the customer$" for name in ("a", "b", "c")]
    start = with_edit(BASE, "agents/support/fastPaths/0/match/patterns", patterns)
    [change] = changes(
        start, with_edit(start, "agents/support/fastPaths/0/match/patterns", patterns[:2])
    )
    assert describe(change) == "support: fastPaths[order].match.patterns changed"
    assert excerpt(change) == [
        " - ^the b (?P<id>[0-9]+) of the customer$",
        "-- ^the c (?P<id>[0-9]+) of the customer$",
    ]


def test_long_values_that_come_or_go_are_cut() -> None:
    replies = {f"X-{number:02}": "y" * 20 for number in range(20)}
    start = with_edit(BASE, "tools/list_orders/http/body", replies)
    [line] = [describe(change) for change in changes(start, BASE)]
    assert "http.body removed: {X-00: yyyyyyyyyyyyyyyyyyyy, X-01" in line
    assert "y… (widening:" in line


@pytest.mark.parametrize(
    ("path", "before", "after", "shown"),
    [
        ("providers/main/apiKey/default", "tell-1", "tell-2", "changed, which is not shown"),
        ("providers/main/headers/X-A", "tell-1", "tell-2", "changed, which is not shown"),
        ("providers/main/headers/X-A", GONE, "tell-2", "added: (hidden)"),
        (
            "store/url",
            "sqlite:///a.db?password=tell-1&x=1",
            "sqlite:///a.db?password=tell-1&x=2",
            "sqlite:///a.db?password=(hidden)&x=1 → sqlite:///a.db?password=(hidden)&x=2",
        ),
        (
            "providers/main/baseUrl",
            "https://me:tell-1@a.example",
            "https://you:tell-2@a.example",
            "https://me:(hidden)@a.example → https://you:(hidden)@a.example",
        ),
        (
            "providers/main/headers/X-A",
            {"env": "A", "default": "tell-1"},
            {"env": "B", "default": "tell-2"},
            "headers.X-A.env A → B",
        ),
        (
            "providers/main/headers/X-A",
            "tell-1",
            {"env": "B", "default": "tell-2"},
            "(hidden) → {env: B, default: (hidden)}",
        ),
        ("environment/SHOP_TOKEN", "tell-1", "tell-2", "changed, which is not shown"),
        (
            "providers/new",
            GONE,
            {"apiKey": {"env": "KEY", "default": "tell-1"}, "headers": {"A": "tell-2"}},
            "apiKey: {env: KEY, default: (hidden)}",
        ),
        ("models/own/extraBody", {}, {"auth": {"api_key": "tell-1"}}, "{api_key: (hidden)}"),
        ("models/own/extraBody", {}, {"urls": ["a://b:tell-1@c/"]}, "['a://b:(hidden)@c/']"),
        (
            "auth/keys",
            [{"name": "a", "sha256": HASH}],
            [{"name": "a", "sha256": "b" * 64}],
            "sha256 aaaaaaaaaaaa → bbbbbbbbbbbb",
        ),
    ],
)
def test_secrets_are_never_shown(path: str, before: Any, after: Any, shown: str) -> None:
    # Some of these are refused as secrets when they are loaded; what was active before is not.
    whole = snapshot(BASE)
    assert whole is not None
    first, second = (
        replace(whole, settings=Settings.model_validate_json(json.dumps(edited.settings)))
        for edited in (with_edit(BASE, f"service/{path}", value) for value in (before, after))
    )
    found = diff(first, second, price, guardrails=SETTINGS)
    text = "\n".join(describe(change) for change in found)
    assert shown in text
    for change in found:
        assert "tell-" not in str(change.to_json()) + "".join(excerpt(change)) + describe(change)


def test_references_and_templates_are_shown_even_where_secrets_could_be() -> None:
    header = "tools/list_orders/http/headers/Authorization"
    assert lines((header, "Bearer {{ env.SHOP_URL }}")) == [
        "tool list_orders: http.headers.Authorization added: Bearer {{ env.SHOP_URL }}"
    ]
    assert lines(("service/providers/main/apiKey", {"env": "OTHER", "default": "none"})) == [
        "service: providers.main.apiKey.env MAIN_KEY → OTHER"
    ]


def test_values_look_as_in_yaml() -> None:
    made = lines(
        ("service/variables/a.b", "1"),
        ("service/server/drainTimeout", "90s"),
        ("service/models/haiku/promptCaching", False),
        ("service/models/own/extraBody", {"top": [1, 2], "none": None}),
        ("agents/support/limits/warnAt", 0.5),
    )
    assert made == [
        "service: models.own.extraBody.none added: null"
        " (widening: fields that nothing checks are sent to the model)",
        "service: server.drainTimeout 30s → 90s",
        "service: models.haiku.promptCaching true → false",
        "service: variables.\"a.b\" 1 → '1'",
        "support: limits.warnAt 0.8 → 0.5",
    ]


def test_a_part_with_a_text_of_several_lines_is_one_line() -> None:
    reminders = [{"every": 3, "text": "Be exact.\nBe 'brief'.\n"}]
    assert lines(("agents/sales/reinforcement", reminders)) == [
        "sales: reinforcement[every 3] added: {every: 3, text: \"Be exact.\\nBe 'brief'.\\n\"}"
    ]


def test_a_change_is_json_for_programs() -> None:
    [change] = changes(BASE, with_edit(BASE, "service/server/host", "0.0.0.0"))
    assert change.to_json() == {
        "subject": "service",
        "path": "server.host",
        "kind": "changed",
        "before": "127.0.0.1",
        "after": "0.0.0.0",
        "widening": True,
        "note": "other machines can reach the service",
        "restartNeeded": True,
    }


def test_a_part_without_remarks_has_no_brackets() -> None:
    change = Change("agent a", "x", "changed", "1", "2", False, None, False)
    assert describe(change) == "a: x 1 → 2"


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ((0,), ["$0.00"]),
        ((500_000_000,), ["$0.50"]),
        ((410_000_001, 656_000_000), ["$0.42", "$0.66"]),
        ((50_000_000,), ["$0.05"]),
        ((51_000_000,), ["$0.051"]),
        ((51_200_000,), ["$0.052"]),
        ((1_234_000_000, 1_234_500_000), ["$1.234", "$1.235"]),
        ((1, 2), ["$0.000000001", "$0.000000002"]),
        ((12_000_000_000, 0), ["$12.00", "$0.00"]),
    ],
)
def test_money_is_rounded_up_and_told_apart(amounts: tuple[int, ...], shown: list[str]) -> None:
    assert dollars(*amounts) == shown
