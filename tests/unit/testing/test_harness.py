"""What plugin authors test with: real turns with a scripted model, and the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_core import from_json

import interlock
from interlock.reload.candidate import Refused
from interlock.testing import Call, check_plugin, run_project
from tests.unit.hooks.plugin_files import HEAD

NO_BEER = f"""{HEAD}
@hookimpl
def guard_input(data):
    return Deny("no beer") if "beer" in data.text else None
"""


async def test_a_turn_is_answered_by_the_script() -> None:
    async with run_project(replies=["Hello!"]) as harness:
        said = await harness.say("Hi")
    assert (said.outcome, said.reply) == ("resolved", "Hello!")
    assert [event.type for event in said.events][-1] == "response"
    assert len(harness.model.requests) == 2


async def test_a_tool_is_called_by_the_script() -> None:
    async with run_project(replies=[Call("call_a_person", {}, step="escalate")]) as harness:
        said = await harness.say("A person, please")
    assert said.outcome == "escalated"


async def test_a_guard_of_a_plugin_stops_a_real_turn() -> None:
    async with run_project({"plugins/pub.py": NO_BEER}, replies=["Cheers!"]) as harness:
        refused = await harness.say("a beer")
        answered = await harness.say("a tea")
    assert (refused.outcome, refused.reason) == ("refused", "guardrail:pub")
    assert answered.reply == "Cheers!"


async def test_a_plugin_that_raises_neither_lets_pass_nor_ends_the_service() -> None:
    broken = f"{HEAD}\n@hookimpl\ndef guard_output(data):\n    raise ValueError('x')\n"
    files = {"plugins/broken.py": broken}
    async with run_project(files, replies=["a", "b"]) as harness:
        said = await harness.say("Hi")
    assert (said.outcome, said.reason) == ("escalated", "guardrail:broken")


async def test_events_reach_sinks_once_the_runtime_has_stopped() -> None:
    sinks = "sinks: [{use: jsonl, with: {path: trace.jsonl}}]\n"
    async with run_project(settings=sinks, replies=["Hello!"]) as harness:
        said = await harness.say("Hi")
        await harness.stop()
        lines = (harness.project / "trace.jsonl").read_bytes().splitlines()
    assert [from_json(line) for line in lines] == [event.to_json() for event in said.events]


async def test_what_is_wrong_with_the_configuration_is_told() -> None:
    with pytest.raises(Refused) as caught:
        async with run_project({"plugins/pub.py": "interlock_api = 2\n"}):
            pass
    assert [each.code for each in caught.value.found] == ["ILK-P106"]


async def test_the_contract_suite_can_be_used_where_a_loop_runs(tmp_path: Path) -> None:
    file = tmp_path / "pub.py"
    file.write_text(NO_BEER)
    assert check_plugin(file) == ()
    file.write_text(NO_BEER.replace("(data)", "(text)"))
    assert [each.code for each in check_plugin(file)] == ["ILK-P103"]
    file.write_text("x = 1\n")
    assert [each.code for each in check_plugin(file)] == ["ILK-P109"]


@pytest.mark.parametrize("name", interlock.__all__)
def test_everything_that_is_offered_to_plugins_is_there(name: str) -> None:
    assert getattr(interlock, name) is not None


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="module 'interlock' has no attribute 'nothing'"):
        _ = interlock.nothing
