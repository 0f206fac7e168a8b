from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import cast

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from interlock.model.usage import Usage
from interlock.reload.outcome import ReloadOutcome
from interlock.reload.standing import Standing
from interlock.reload.supervisor import Supervisor
from interlock.service.metrics import Metrics
from interlock.turn.ports import LedgerEntry
from tests.unit.service.fakes import NOW, RESULT, FakeRuntime, make_event, make_runtime
from tests.unit.service.test_config_state import REJECTION

ENTRY = LedgerEntry(
    turn_id="turn_1",
    conversation_id="conv_1",
    customer_id="C-1",
    agent="support",
    route="execute",
    provider="anthropic",
    model="claude-sonnet-4-6",
    usage=Usage(input=100, cache_read=20, cache_write_5m=3, cache_write_1h=4, output=50),
    cost_nano=1_500_000_000,
    estimated=False,
    time=NOW,
)


@pytest.fixture
def runtime() -> FakeRuntime:
    return make_runtime()


@pytest.fixture
def metrics(runtime: FakeRuntime) -> Metrics:
    return Metrics(cast(Supervisor, runtime.supervisor))


def read(metrics: Metrics) -> dict[str, float]:
    """Every series with its value."""
    values = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            values[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return values


def outcome(**changes: object) -> ReloadOutcome:
    base = ReloadOutcome("applied", "d" * 64, "d" * 64, 2, "c" * 64, 0.4)
    return replace(base, **changes)  # type: ignore[arg-type]  # as the tests give them


def test_reloads_are_counted_by_outcome_and_trigger(metrics: Metrics) -> None:
    metrics.attempted(outcome(), "watch")
    metrics.attempted(outcome(status="unchanged"), "signal")
    metrics.attempted(outcome(status="rejected", reason="parse"), "api")
    metrics.missed()
    values = read(metrics)
    name = "interlock_config_reloads_total"
    assert {key: value for key, value in values.items() if key.startswith(name)} == {
        f"{name}{{outcome=applied,trigger=start}}": 1,
        f"{name}{{outcome=applied,trigger=watch}}": 1,
        f"{name}{{outcome=unchanged,trigger=signal}}": 1,
        f"{name}{{outcome=rejected,trigger=api}}": 1,
    }
    assert values["interlock_config_reload_rejected_total{reason=parse}"] == 1
    assert values["interlock_config_reload_duration_seconds_count"] == 3
    assert values["interlock_config_watch_missed_total"] == 1


def test_the_state_of_the_configuration_is_that_of_the_moment(
    metrics: Metrics, runtime: FakeRuntime
) -> None:
    supervisor = runtime.supervisor
    values = read(metrics)
    assert values["interlock_config_last_reload_successful"] == 1
    assert values["interlock_config_last_reload_success_timestamp_seconds"] == NOW.timestamp()
    assert values["interlock_config_generation"] == 1
    assert values[f"interlock_config_info{{digest={supervisor.active.digest}}}"] == 1
    supervisor.standing = Standing("x", rejected=REJECTION, resumed=NOW, rolled_back="r" * 64)
    active = supervisor.generations.active
    supervisor.generations.draining = (replace(active, turns=2),)
    supervisor.generations.active = replace(active, number=5, turns=3)
    supervisor.watch.failure = "no room"
    supervisor.watch.restarts = 4
    values = read(metrics)
    for name, value in {
        "config_last_reload_successful": 0,
        "config_generation": 5,
        "config_generations_draining": 1,
        "config_resumed": 1,
        "config_rolled_back": 1,
        "config_watch_up": 0,
        "config_watch_restarts_total": 4,
        "turns_in_flight": 5,
    }.items():
        assert values[f"interlock_{name}"] == value, name
    assert read(metrics)["interlock_config_watch_restarts_total"] == 4


def test_only_the_active_digest_is_named(metrics: Metrics, runtime: FakeRuntime) -> None:
    before = runtime.supervisor.active.digest
    read(metrics)
    other = make_runtime(reload="{quiet: 1s}").supervisor.generations.active
    runtime.supervisor.generations.active = other
    values = read(metrics)
    assert f"interlock_config_info{{digest={before}}}" not in values
    assert values[f"interlock_config_info{{digest={other.digest}}}"] == 1


def test_turns_are_counted_and_timed(metrics: Metrics) -> None:
    metrics.ended("support", RESULT, 1.5)
    metrics.ended("support", replace(RESULT, outcome="escalated"), 0.1)
    values = read(metrics)
    assert values["interlock_turns_total{agent=support,outcome=resolved}"] == 1
    assert values["interlock_turns_total{agent=support,outcome=escalated}"] == 1
    assert values["interlock_turn_seconds_count{agent=support}"] == 2
    assert values["interlock_turn_seconds_sum{agent=support}"] == pytest.approx(1.6)


def test_money_and_tokens_are_counted_by_agent_model_and_route(metrics: Metrics) -> None:
    metrics.charged(ENTRY)
    metrics.charged(replace(ENTRY, cost_nano=None))
    values = read(metrics)
    place = "agent=support,model=claude-sonnet-4-6,route=execute"
    assert Decimal(values[f"interlock_cost_usd_total{{{place}}}"]) == Decimal("1.5")
    assert values[f"interlock_unpriced_model_calls_total{{{place}}}"] == 1
    for kind, tokens in {"input": 200, "cache_read": 40, "cache_write": 14, "output": 100}.items():
        agent, rest = place.split(",", 1)
        assert values[f"interlock_tokens_total{{{agent},kind={kind},{rest}}}"] == tokens


def test_model_calls_are_counted_by_result(metrics: Metrics) -> None:
    call = make_event(type="model_call", model="m", data={"route": "plan"})
    metrics.event(call)
    metrics.event(replace(call, data={"route": "plan", "failure": "timeout"}))
    values = read(metrics)
    for result in ("ok", "timeout"):
        labels = f"agent=support,model=m,result={result},route=plan"
        assert values[f"interlock_model_calls_total{{{labels}}}"] == 1


def test_tool_calls_are_counted_and_a_model_cannot_make_up_series(metrics: Metrics) -> None:
    for tool in ("get_order", "get_order", *(f"invented_{n}" for n in range(100))):
        data = {"tool": tool, "status": "success" if tool == "get_order" else "error"}
        metrics.event(make_event(type="tool_result", data=data))
    values = read(metrics)
    assert {key: value for key, value in values.items() if "tool_calls" in key} == {
        "interlock_tool_calls_total{status=success,tool=get_order}": 2,
        "interlock_tool_calls_total{status=error,tool=(other)}": 100,
    }


def test_other_events_are_not_counted(metrics: Metrics) -> None:
    before = read(metrics)
    metrics.event(make_event())
    assert read(metrics) == before


async def test_prometheus_reads_them(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert re.search(r"^interlock_config_generation 1\.0$", answer.text, re.MULTILINE)
    assert "_created" not in answer.text
