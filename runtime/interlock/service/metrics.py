"""Everything that is counted and measured, in one table, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from interlock.breakers.status import State
from interlock.engine.breaker_notice import Notice
from interlock.engine.breakers import Breakers
from interlock.model.event import TraceEvent
from interlock.model.turn import TurnResult
from interlock.model.usage import Usage
from interlock.people.notices import NoticeKind
from interlock.reload.outcome import ReloadOutcome, Trigger
from interlock.reload.supervisor import Supervisor
from interlock.turn.ports import LedgerEntry

__all__ = ["Metrics", "router"]

router = APIRouter(tags=["health"])

_NANO = 1e9
_RELOAD_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_TURN_SECONDS = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120)
_STATES: Mapping[State, int] = {"closed": 0, "half_open": 1, "open": 2}
_OTHER = "(other)"
"""Stands for every tool that only a model believes in: it could make up any number of them."""


class Metrics:
    """The service's metrics. Hears of turns and of reloads; the rest is read when asked for."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._registry = registry = CollectorRegistry()
        # They would double the series, and `process_start_time` of any exporter says the same.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus-client leaves it out

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"interlock_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"interlock_{name}", text, labels, registry=registry)

        def seconds(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(
                f"interlock_{name}_seconds", text, labels, registry=registry, buckets=buckets
            )

        self._successful = gauge(
            "config_last_reload_successful",
            "1 if the files are what is active, 0 if they were rejected.",
        )
        self._success_time = gauge(
            "config_last_reload_success_timestamp_seconds",
            "When a configuration last became active.",
        )
        self._reloads = counter(
            "config_reloads",
            "Attempts to change the configuration.",
            *("outcome", "trigger"),
        )
        self._rejected = counter(
            "config_reload_rejected", "Attempts that were rejected, by reason.", "reason"
        )
        self._reload_seconds = seconds(
            "config_reload_duration",
            "From the first reading of the files to the swap or the rejection.",
            _RELOAD_SECONDS,
        )
        self._generation = gauge(
            "config_generation", "Number of the active generation, from 1 in each process."
        )
        self._info = gauge("config_info", "The digest of the active configuration.", "digest")
        self._draining = gauge(
            "config_generations_draining", "Replaced generations that still have turns."
        )
        self._resumed = gauge(
            "config_resumed",
            "1 if the active configuration is the last good one of an earlier run.",
        )
        self._rolled_back = gauge(
            "config_rolled_back", "1 if the files were passed over for an earlier configuration."
        )
        self._canary = gauge(
            "config_canary", "1 while a configuration is tried on a share of the conversations."
        )
        self._watch_up = gauge(
            "config_watch_up", "0 if watching the files failed, so that changes are found later."
        )
        self._watch_restarts = counter(
            "config_watch_restarts", "How often watching the files was begun anew."
        )
        self._watch_missed = counter(
            "config_watch_missed", "Changes that were found although nothing announced them."
        )
        self._in_flight = gauge("turns_in_flight", "Turns that are running.")
        self._turns = counter("turns", "Turns that have ended.", "agent", "outcome")
        self._turn_seconds = seconds(
            "turn",
            "How long a turn took, without waiting for earlier ones.",
            _TURN_SECONDS,
            "agent",
        )
        self._model_calls = counter(
            "model_calls",
            "Model calls, each attempt by itself; result is ok or the kind of failure.",
            *("agent", "model", "route", "result"),
        )
        self._tokens = counter(
            "tokens", "Tokens of model calls.", "agent", "model", "route", "kind"
        )
        self._cost = counter(
            "cost_usd", "Cost of model calls whose price is known.", "agent", "model", "route"
        )
        self._unpriced = counter(
            "unpriced_model_calls",
            "Model calls whose price is unknown.",
            *("agent", "model", "route"),
        )
        self._tool_calls = counter("tool_calls", "Tool calls.", "tool", "status")
        self._breakers: Breakers | None = None
        self._breaker_state = gauge(
            "breaker_state", "0 if a breaker is closed, 1 half open, 2 open.", "breaker"
        )
        self._trips = counter("breaker_trips", "How often a breaker has opened.", "breaker")
        self._admitted = gauge(
            "admitted_share", "The share of new conversations that is admitted, from 0 to 1."
        )

        self._escalations = counter(
            "escalations", "What happened to escalations.", "queue", "event"
        )
        self._approvals = counter("approvals", "What happened to approvals.", "tool", "event")
        self._feedback = counter("feedback", "Customers' ratings of turns, 1 to 5.", "rating")
        self._plugin_failures = gauge(
            "plugin_failures",
            "Failed calls of a plugin since the active configuration was loaded.",
            "plugin",
        )
        self._plugin_dropped = gauge(
            "plugin_events_dropped",
            "Events that a plugin or sink was not told of since then.",
            "plugin",
        )
        self._plugin_stuck = gauge(
            "plugin_calls_stuck", "Calls of a plugin that were given up and do not end.", "plugin"
        )

        self._reloads.labels("applied", supervisor.activation.trigger).inc()
        self._restarts_seen = 0

    def watch(self, breakers: Breakers) -> None:
        """From now on these breakers are measured too."""
        self._breakers = breakers
        breakers.observe(self.tripped)

    def tripped(self, notice: Notice) -> None:
        """Counts a breaker that has opened."""
        if notice.state == "open":
            self._trips.labels(notice.breaker).inc()

    def attempted(self, outcome: ReloadOutcome, trigger: Trigger) -> None:
        """Counts an attempt to change the configuration."""
        self._reloads.labels(outcome.status, trigger).inc()
        self._reload_seconds.observe(outcome.seconds)
        if outcome.reason is not None:
            self._rejected.labels(outcome.reason).inc()

    def missed(self) -> None:
        """Counts a change that had not been announced."""
        self._watch_missed.inc()

    def event(self, event: TraceEvent) -> None:
        """Counts model and tool calls."""
        match event.type:
            case "model_call":
                result = event.data.get("failure", "ok")
                route = event.data["route"]
                self._model_calls.labels(event.agent, event.model, route, result).inc()
            case "tool_result":
                tool = event.data["tool"]
                known = tool in self._supervisor.active.tools
                self._tool_calls.labels(tool if known else _OTHER, event.data["status"]).inc()

    def charged(self, entry: LedgerEntry) -> None:
        """Counts tokens and money."""
        place = (entry.agent, entry.model, entry.route)
        for kind, tokens in _kinds(entry.usage).items():
            if tokens:
                self._tokens.labels(*place, kind).inc(tokens)
        if entry.cost_nano is None:
            self._unpriced.labels(*place).inc()
        else:
            self._cost.labels(*place).inc(entry.cost_nano / _NANO)

    def ended(self, agent: str, result: TurnResult, seconds: float) -> None:
        """Counts a turn."""
        self._turns.labels(agent, result.outcome).inc()
        self._turn_seconds.labels(agent).observe(seconds)

    def people(self, kind: NoticeKind, label: str) -> None:
        """Counts what happened to an escalation of a queue, or to an approval of a tool."""
        what, _, event = kind.partition(".")
        (self._escalations if what == "escalation" else self._approvals).labels(label, event).inc()

    def rated(self, rating: int) -> None:
        """Counts a customer's rating."""
        self._feedback.labels(str(rating)).inc()

    def text(self) -> bytes:
        """All metrics as they are now, in Prometheus' text format."""
        supervisor, standing = self._supervisor, self._supervisor.standing
        generations, watch = supervisor.generations, supervisor.watch
        self._successful.set(standing.rejected is None)
        self._success_time.set(supervisor.activation.at.timestamp())
        self._generation.set(generations.active.number)
        self._info.clear()
        for gauge in (self._plugin_failures, self._plugin_dropped, self._plugin_stuck):
            gauge.clear()
        self._info.labels(generations.active.digest).set(1)
        self._draining.set(len(generations.draining))
        self._resumed.set(standing.resumed is not None)
        self._rolled_back.set(standing.rolled_back is not None)
        self._canary.set(generations.trial is not None)
        self._watch_up.set(watch.failure is None)
        self._watch_restarts.inc(watch.restarts - self._restarts_seen)
        self._restarts_seen = watch.restarts
        tried = () if generations.trial is None else (generations.trial.held,)
        held_ones = (*generations.draining, *tried, generations.active)
        self._in_flight.set(sum(held.turns for held in held_ones))
        if self._breakers is not None:
            self._measure(self._breakers)
        for name, state in generations.active.generation.plugins.states().items():
            self._plugin_failures.labels(name).set(state.failures)
            self._plugin_dropped.labels(name).set(state.dropped)
            self._plugin_stuck.labels(name).set(state.stuck)
        return generate_latest(self._registry)

    def _measure(self, breakers: Breakers) -> None:
        breakers.refresh()
        self._breaker_state.clear()
        for name in breakers.names():
            self._breaker_state.labels(name).set(_STATES[breakers.status(name).state])
        self._admitted.set(breakers.admitted_share)


@router.get("/metrics", include_in_schema=False)
async def read_metrics(request: Request) -> Response:
    """The metrics, for Prometheus. With API keys, it needs one of an operator."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})


def _kinds(usage: Usage) -> Mapping[str, int]:
    return {
        "input": usage.input,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write_5m + usage.cache_write_1h,
        "output": usage.output,
    }
