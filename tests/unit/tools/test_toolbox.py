from __future__ import annotations

import logging
import sys
from typing import Any

import pytest

from interlock.errors import ToolDefinitionError
from interlock.model.result import ToolResult
from interlock.tools.toolbox import Toolbox
from tests.unit.tools.conftest import Build
from tests.unit.tools.declared import declare, http, python
from tests.unit.tools.upstream import Upstream, answer

ECHO = "async def run(order_id): return order_id"


async def call(toolbox: Toolbox, value: Any, name: str = "look") -> ToolResult:
    return await toolbox.call(name, {"order_id": value}, timeout_seconds=60.0, session={})


async def test_a_result_is_projected_and_cut_to_size(build: Build) -> None:
    shape = {"select": "{id: id, lines: lines}", "maxTokens": 50}
    tool, files = python(ECHO, result=shape)
    value = {"id": "ORD-1", "secret": 1, "lines": list(range(500))}
    result = await call(build(tool, files=files), value)
    assert result.data == {"id": "ORD-1", "lines": list(range(len(result.data["lines"])))}
    assert result.cut == (f"lines: {len(result.data['lines'])} of 500 shown",)


async def test_a_projection_that_finds_nothing_is_a_success_that_says_so(build: Build) -> None:
    tool, files = python(ECHO, "mutation", result={"select": "order.id"})
    result = await call(build(tool, files=files), {"id": 1})
    assert (result.status, result.data, result.effect) == ("success", None, "applied")
    assert result.cut == ("select 'order.id' matched nothing",)


async def test_the_reason_of_a_not_found_is_not_projected(build: Build) -> None:
    async with Upstream(answer(404, {"detail": "gone"})) as server:
        toolbox = build(http(tool={"result": {"select": "id"}}), env={"SHOP_URL": server.url})
        result = await call(toolbox, "ORD-1")
        await toolbox.close()
    assert (result.status, result.data, result.cut) == ("not_found", {"detail": "gone"}, ())


async def test_an_unknown_tool_is_an_error_with_a_hint(build: Build) -> None:
    tool, files = python(ECHO)
    result = await call(build(tool, files=files), 1, name="lok")
    assert result.message == "there is no tool 'lok' that can be called; did you mean 'look'?"
    assert (result.status, result.attempts, result.effect) == ("error", 0, "none")


async def test_an_escalation_is_not_carried_out_here(build: Build) -> None:
    result = await call(build(declare("escalation")), 1)
    assert result.message == "there is no tool 'look' that can be called"


@pytest.mark.parametrize(("category", "effect"), [("lookup", "none"), ("mutation", "unknown")])
async def test_a_defect_becomes_a_result_and_reaches_the_log(
    build: Build, category: str, effect: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Upstream(answer()) as server:
        toolbox = build(http(category), env={"SHOP_URL": server.url})
        await call(toolbox, "ORD-1")
        await toolbox.close()
        # The client of a closed toolbox raises an error that is none of aiohttp's own kind.
        with caplog.at_level(logging.ERROR):
            result = await call(toolbox, "ORD-1")
    assert (result.status, result.retryable, result.effect) == ("error", False, effect)
    assert "Traceback" in caplog.text
    assert result.attempts == 1


def test_a_bad_projection_is_found_when_built() -> None:
    tool, files = python(ECHO, result={"select": "a["})
    with pytest.raises(ToolDefinitionError) as found:
        Toolbox.build([tool], env={}, files=files)
    assert (found.value.tool, found.value.key) == ("look", "result.select")
    assert found.value.problem.startswith("not a JMESPath expression: ")


def test_a_failed_build_leaves_nothing_behind() -> None:
    tool, files = python(ECHO)
    with pytest.raises(ToolDefinitionError):
        Toolbox.build([tool, http()], env={}, files=files)
    assert not any(name.startswith("interlock_plugin_look_") for name in sys.modules)


def test_a_variable_that_is_not_set_is_found_when_built() -> None:
    with pytest.raises(ToolDefinitionError, match=r"tool 'look', http\.url: .*SHOP_URL is not set"):
        Toolbox.build([http()], env={}, files={})


async def test_a_toolbox_that_was_never_used_closes() -> None:
    tool, files = python(ECHO)
    toolbox = Toolbox.build([tool, http()], env={"SHOP_URL": "http://shop.test"}, files=files)
    await toolbox.close()
    await toolbox.close()
