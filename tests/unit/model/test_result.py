from __future__ import annotations

import pytest

from interlock.model.base import JsonObject
from interlock.model.result import ToolResult

FULL = ToolResult(
    "error",
    {"code": 5},
    "it is down",
    retryable=True,
    effect="unknown",
    cut=("items[3:]",),
    attempts=2,
    latency_ms=1.5,
)


@pytest.mark.parametrize("result", [FULL, ToolResult("success"), ToolResult.error("no")])
def test_a_result_survives_json(result: ToolResult) -> None:
    assert ToolResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (ToolResult("success", {"id": 1}, attempts=1), {"status": "success", "data": {"id": 1}}),
        (ToolResult("success", []), {"status": "success", "data": []}),
        (ToolResult("success", effect="applied"), {"status": "success"}),
        (
            ToolResult("not_found", message="no such order"),
            {"status": "not_found", "message": "no such order"},
        ),
        (
            ToolResult.error("down", retryable=True),
            {"status": "error", "message": "down", "retryable": True},
        ),
        (
            FULL,
            {
                "status": "error",
                "data": {"code": 5},
                "message": "it is down",
                "retryable": True,
                "effect": "unknown: it may or may not have happened",
                "cut": ["items[3:]"],
            },
        ),
    ],
)
def test_the_model_reads_the_status_first_and_nothing_empty(
    result: ToolResult, shown: JsonObject
) -> None:
    assert result.for_model() == shown
    assert next(iter(result.for_model())) == "status"
