from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from interlock.model.result import ToolResult
from tests.unit.tools.conftest import Build
from tests.unit.tools.declared import also, python

LONG = 60.0
SHORT = 0.05

KINDS = pytest.mark.parametrize("kind", ["def", "async def"])


async def run(
    build: Build,
    source: str,
    category: str = "lookup",
    *,
    timeout_seconds: float = LONG,
    key: str | None = None,
    **tool: Any,
) -> ToolResult:
    declared, files = python(source, category, **tool)
    toolbox = build(declared, files=files)
    return await toolbox.call(
        "look",
        {"order_id": "ORD-1"},
        timeout_seconds=timeout_seconds,
        session={"customerId": "C-1"},
        idempotency_key=key,
    )


@KINDS
async def test_what_a_function_returns_is_the_data(build: Build, kind: str) -> None:
    result = await run(build, f"{kind} run(order_id): return {{'id': order_id, 'n': (1, 2)}}")
    assert (result.status, result.data) == ("success", {"id": "ORD-1", "n": [1, 2]})
    assert (result.effect, result.attempts) == ("none", 1)
    assert result.latency_ms > 0


@KINDS
async def test_a_mutation_that_returns_is_applied(build: Build, kind: str) -> None:
    result = await run(build, f"{kind} run(order_id): pass", "mutation")
    assert (result.status, result.data, result.effect) == ("success", None, "applied")


async def test_an_async_function_runs_in_the_loop_and_any_other_does_not(build: Build) -> None:
    source = "import threading\n{} run(order_id): return threading.current_thread().name"
    here = threading.current_thread().name
    assert (await run(build, source.format("async def"))).data == here
    assert (await run(build, source.format("def"))).data == "interlock-tool"


async def test_a_blocking_function_does_not_stop_the_loop(build: Build) -> None:
    source = """
import threading
go = threading.Event()
def run(order_id): return go.wait(60)
async def free(order_id): go.set()
"""
    tool, files = python(source)
    free = also(tool, "free")
    toolbox = build(tool, free, files=files)
    blocked = asyncio.create_task(
        toolbox.call("look", {"order_id": ""}, timeout_seconds=LONG, session={})
    )
    await asyncio.sleep(0)
    assert (
        await toolbox.call("free", {"order_id": ""}, timeout_seconds=LONG, session={})
    ).status == "success"
    assert (await blocked).data is True


async def test_a_coroutine_from_a_plain_function_is_awaited(build: Build) -> None:
    source = "async def go(x): return x\ndef run(order_id): return go(order_id)"
    assert (await run(build, source)).data == "ORD-1"


async def test_values_of_python_become_json(build: Build) -> None:
    source = """
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
@dataclass
class Order:
    total: Decimal
    placed: datetime
def run(order_id): return [Order(Decimal("1.10"), datetime(2026, 11, 22, tzinfo=timezone.utc))]
"""
    assert (await run(build, source)).data == [{"total": "1.10", "placed": "2026-11-22T00:00:00Z"}]


@KINDS
@pytest.mark.parametrize("value", ["object()", "float('nan')", "b'\\xff'", "'\\ud800'", "run"])
async def test_what_is_not_json_is_an_error(build: Build, kind: str, value: str) -> None:
    source = f"{kind} run(order_id): return {value}"
    result = await run(build, source)
    assert (result.status, result.retryable, result.effect) == ("error", False, "none")
    assert "returned something that is not JSON" in (result.message or "")
    assert (await run(build, source, "mutation")).effect == "unknown"


@KINDS
async def test_not_found_is_an_answer(build: Build, kind: str) -> None:
    source = f"""
from interlock.tools.errors import NotFound
{kind} run(order_id): raise NotFound("there is no order " + order_id)
"""
    for category in ("lookup", "mutation"):
        result = await run(build, source, category)
        assert (result.status, result.effect) == ("not_found", "none")
        assert result.message == "there is no order ORD-1"


@KINDS
@pytest.mark.parametrize(
    ("category", "arguments", "retryable", "effect"),
    [
        ("lookup", "", False, "none"),
        ("lookup", ", retryable=True", True, "none"),
        ("lookup", ", effect='applied'", False, "none"),
        ("mutation", "", False, "unknown"),
        ("mutation", ", retryable=True", False, "unknown"),
        ("mutation", ", retryable=True, effect='none'", True, "none"),
        ("mutation", ", effect='applied'", False, "applied"),
    ],
)
async def test_a_tool_error_says_what_the_author_knows(
    build: Build, kind: str, category: str, arguments: str, retryable: bool, effect: str
) -> None:
    source = f"""
from interlock.tools.errors import ToolError
{kind} run(order_id): raise ToolError("no stock"{arguments})
"""
    result = await run(build, source, category)
    assert (result.status, result.message) == ("error", "no stock")
    assert (result.retryable, result.effect) == (retryable, effect)


@KINDS
async def test_any_other_exception_is_told_without_its_traceback(
    build: Build, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = f"{kind} run(order_id):\n    secret = 1\n    raise LookupError('gone: ' + order_id)"
    with caplog.at_level(logging.WARNING):
        result = await run(build, source)
    assert result.message == "the tool failed: LookupError: gone: ORD-1"
    assert (result.status, result.retryable, result.effect) == ("error", False, "none")
    assert 'File "plugins/look.py", line 3' in caplog.text
    assert "raise LookupError" in caplog.text
    result = await run(build, source, "mutation")
    assert result.effect == "unknown"
    assert "do not repeat it" in (result.message or "")


@KINDS
@pytest.mark.parametrize(
    "raises", ["sys.exit(1)", "raise asyncio.CancelledError", "raise TimeoutError('mine')"]
)
async def test_nothing_that_a_plugin_raises_gets_out(build: Build, kind: str, raises: str) -> None:
    source = f"import asyncio, sys\n{kind} run(order_id): {raises}"
    assert (await run(build, source)).status == "error"
    assert (await run(build, source, "mutation")).effect == "unknown"


@KINDS
async def test_an_endless_message_is_cut(build: Build, kind: str) -> None:
    result = await run(build, f"{kind} run(order_id): raise ValueError('x' * 1_000_000)")
    assert len(result.message or "") == 500


@KINDS
async def test_arguments_that_do_not_fit_are_told_clearly(build: Build, kind: str) -> None:
    source = f"{kind} run(order_id, note): pass"
    result = await run(build, source, "mutation", inputs=["order_id", "note"])
    assert result.message == (
        "the tool's function cannot take this input: "
        "run() missing 1 required positional argument: 'note'"
    )
    assert result.effect == "none"


@KINDS
async def test_a_type_error_of_the_function_itself_is_no_such_thing(
    build: Build, kind: str
) -> None:
    result = await run(build, f"{kind} run(order_id): return 1 + ''", "mutation")
    assert (result.message or "").startswith("the tool failed: TypeError: ")
    assert result.effect == "unknown"


@KINDS
async def test_a_tool_result_is_taken_as_it_is(build: Build, kind: str) -> None:
    head = "from interlock.model.result import ToolResult\n"
    source = head + f"{kind} run(order_id): return ToolResult('success', {{1: 2}}, cut=('a',))"
    result = await run(build, source)
    assert (result.status, result.data, result.cut) == ("success", {"1": 2}, ("a",))
    assert (await run(build, source, "mutation")).effect == "applied"
    source = head + f"{kind} run(order_id): return ToolResult.error('no', retryable=True)"
    result = await run(build, source, "mutation")
    assert (result.message, result.retryable, result.effect) == ("no", True, "none")
    source = head + f"{kind} run(order_id): return ToolResult('ok')"
    assert "'ok' is no status" in ((await run(build, source)).message or "")


@KINDS
async def test_the_idempotency_key_reaches_a_function_that_asks(build: Build, kind: str) -> None:
    source = f"{kind} run(order_id, *, idempotency_key): return idempotency_key"
    assert (await run(build, source, "mutation", key="look:1")).data == "look:1"
    assert (await run(build, source)).data is None


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasync def run(order_id): await asyncio.Event().wait()",
        "import threading\ndef run(order_id): threading.Event().wait(0.5)",
        "import asyncio\ndef run(order_id): return asyncio.Event().wait()",
    ],
)
async def test_a_function_that_takes_too_long_is_given_up(build: Build, source: str) -> None:
    result = await run(build, source, timeout_seconds=SHORT)
    assert (result.status, result.retryable, result.effect) == ("error", True, "none")
    assert result.message == "no answer within 0.05 s"
    result = await run(build, source, "mutation", timeout_seconds=SHORT)
    assert (result.retryable, result.effect) == (False, "unknown")
    assert "do not repeat it" in (result.message or "")


async def test_a_coroutine_that_will_not_be_cancelled_holds_nobody_up(build: Build) -> None:
    source = """
import asyncio
go = asyncio.Event()
notes = []
async def run(order_id):
    while not go.is_set():
        try:
            await go.wait()
        except asyncio.CancelledError:
            notes.append("refused")
    notes.append("ended")
async def free(order_id): go.set()
async def seen(order_id): return notes
"""
    tool, files = python(source)
    toolbox = build(tool, also(tool, "free"), also(tool, "seen"), files=files)

    def call(name: str, timeout_seconds: float = LONG) -> Any:
        return toolbox.call(name, {"order_id": ""}, timeout_seconds=timeout_seconds, session={})

    assert (await call("look", SHORT)).message == "no answer within 0.05 s"
    await call("free")
    await toolbox.close()
    assert (await call("seen")).data == ["refused", "ended"]


async def test_a_cancelled_call_cancels_its_function(build: Build) -> None:
    source = """
import asyncio
began, ended = asyncio.Event(), asyncio.Event()
async def run(order_id):
    began.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()
async def began_(order_id): await began.wait()
async def ended_(order_id): await ended.wait()
"""
    tool, files = python(source)
    others = [also(tool, "began_"), also(tool, "ended_")]
    toolbox = build(tool, *others, files=files)

    def call(name: str) -> Any:
        return toolbox.call(name, {"order_id": ""}, timeout_seconds=LONG, session={})

    task = asyncio.create_task(call("look"))
    await call("began_")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await call("ended_")).status == "success"


async def test_stuck_threads_fail_at_once(build: Build) -> None:
    source = """
import threading
go = threading.Event()
def run(order_id): go.wait(60)
async def free(order_id): go.set()
"""
    tool, files = python(source, "mutation")
    toolbox = build(tool, also(tool, "free"), files=files)

    def call(name: str, timeout_seconds: float) -> Any:
        return toolbox.call(name, {"order_id": ""}, timeout_seconds=timeout_seconds, session={})

    results = await asyncio.gather(*(call("look", 0.2) for _ in range(20)))
    assert sum(result.effect == "unknown" for result in results) == 16
    waited = [result for result in results if result.effect == "none"]
    assert {result.message for result in waited} == {"no thread was free within 0.2 s"}
    assert {(result.attempts, result.retryable) for result in waited} == {(0, True)}
    refused = await call("look", LONG)
    assert refused.message == "every thread for tools is stuck in a call that does not end"
    assert (refused.attempts, refused.effect) == (0, "none")
    await call("free", LONG)


@KINDS
@pytest.mark.parametrize("raises", ["ValueError", "UnicodeError"])
async def test_a_refusal_has_changed_nothing(build: Build, kind: str, raises: str) -> None:
    source = f"{kind} run(order_id): raise {raises}('only a pending order')"
    tool, files = python(source, "mutation")
    assert tool.python is not None
    refusing = tool.python.model_copy(update={"refusals": ("ValueError",)})
    toolbox = build(tool.model_copy(update={"python": refusing}), files=files)
    result = await toolbox.call("look", {"order_id": "1"}, timeout_seconds=LONG, session={})
    assert (result.status, result.effect) == ("error", "none")
    assert (result.message, result.retryable) == ("only a pending order", False)


async def test_what_is_no_refusal_leaves_the_effect_unknown(build: Build) -> None:
    result = await run(build, "def run(order_id): raise KeyError('x')", "mutation")
    assert (result.status, result.effect) == ("error", "unknown")
