"""Plugins in a generation: what they register and decide, what they are told, what fails them."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic_core import from_json

from interlock.config.source import Source
from interlock.errors import ConfigError
from interlock.model.event import TraceEvent
from interlock.reload.candidate import Refused, build_candidate
from interlock.reload.clients import Clients
from interlock.reload.generation import Generation, build, check
from interlock.reload.history import load_kept
from interlock.turn.guard import Deny, GuardrailInput, NoJudge, Redact, Stage
from tests.unit.hooks.plugin_files import generation, with_plugins

EVENT = TraceEvent(
    turn_id="turn_1",
    sequence=1,
    type="response",
    time=datetime(2026, 11, 22, tzinfo=UTC),
    conversation_id="conv_1",
    customer_id=None,
    agent="support",
    snapshot="0" * 64,
    iteration=1,
    data={"reply": "hello"},
)

GUARDRAIL = """
from interlock import PluginSettings

class WordSettings(PluginSettings):
    word: str
    '''The word.'''

class Word:
    name = "word"
    def __init__(self, settings):
        if settings.word == "explode":
            raise RuntimeError("boom")
        self.word = settings.word
    async def check(self, data, judge):
        if data.text == "crash":
            raise RuntimeError("crash")
        return Deny("no") if self.word in data.text else None

@hookimpl
def register_guardrails():
    return {"word": GuardrailKind(WordSettings, Word)}
"""


def codes(source: Source) -> list[str]:
    loaded, toolbox = check(source, {})
    assert (toolbox is None) == any(each.severity == "error" for each in loaded.found)
    return [each.code for each in loaded.found]


async def judged(made: Generation, stage: Stage, text: str) -> list[object]:
    guardrails = getattr(made.agents["support"].guards, stage)
    return [
        await each.guardrail.check(GuardrailInput(stage, text), NoJudge()) for each in guardrails
    ]


async def test_a_guardrail_of_a_plugin_is_used_by_its_name_with_its_settings() -> None:
    use = "guardrails: {input: [{use: word, with: {word: beer}}]}\n"
    made = generation("", use, pub=GUARDRAIL)
    assert await judged(made, "input", "a beer") == [Deny("no")]
    assert await judged(made, "input", "a tea") == [None]
    [failed] = await judged(made, "input", "crash")
    assert isinstance(failed, Deny)
    assert failed.rule == "plugin_failed"
    await made.close()


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("{use: word}", ["ILK-C001"]),
        ("{use: word, with: {word: 1}}", ["ILK-C003"]),
        ("{use: word, with: {word: explode}}", ["ILK-P108"]),
        ("{use: words}", ["ILK-C006"]),
    ],
)
def test_its_settings_are_checked_where_they_stand(use: str, found: list[str]) -> None:
    assert codes(with_plugins("", f"guardrails: {{input: [{use}]}}\n", pub=GUARDRAIL)) == found


def test_of_a_plugin_that_cannot_be_loaded_the_guardrail_is_not_also_unknown() -> None:
    use = "guardrails: {input: [{use: word, with: {word: beer}}]}\n"
    assert codes(with_plugins("", use, pub=f"{GUARDRAIL}\n1 / 0\n")) == ["ILK-P101"]


def test_a_kept_configuration_with_a_plugins_guardrail_can_still_be_read() -> None:
    use = "guardrails: {input: [{use: word, with: {word: beer}}]}\n"
    assert load_kept(with_plugins("", use, pub=GUARDRAIL)).snapshot is not None


GUARDS = """
class Rules(PluginSettings):
    word: str = "beer"
    '''The word.'''

@hookimpl
def settings_model():
    return Rules

@hookimpl
def guard_input(data, settings):
    return Deny(f"no {settings.word}") if settings.word in data.text else None

@hookimpl
async def guard_tool_result(data, ctx):
    return Redact(ctx.agent)

@hookimpl
def guard_output(data):
    raise KeyError("x")
"""


async def test_guard_hooks_judge_for_every_agent_after_the_guardrails_of_the_yaml() -> None:
    use = "guardrails: {input: [{use: max_length, with: {characters: 10}}]}\n"
    made = generation("plugins: {settings: {pub: {word: gin}}}\n", use, pub=GUARDS)
    names = [each.guardrail.name for each in made.agents["support"].guards.input]
    assert names == ["max_length", "pub"]
    assert await judged(made, "input", "gin") == [None, Deny("no gin")]
    assert await judged(made, "tool_result", "x") == [Redact("support")]
    assert await judged(made, "tool_call", "x") == []
    [failed] = await judged(made, "output", "x")
    assert isinstance(failed, Deny)
    await made.close()


async def test_a_guard_that_may_fail_lets_pass_what_it_cannot_judge() -> None:
    made = generation("plugins: {limits: {pub: {onError: allow}}}\n", pub=GUARDS)
    assert await judged(made, "output", "x") == [None]
    await made.close()


def test_settings_of_plugins_are_checked_where_they_stand() -> None:
    rules = "plugins: {settings: {pub: {wrod: gin}, bar: {}}, limits: {baz: {}}}\n"
    loaded, _ = check(with_plugins(rules, pub=GUARDS), {})
    assert [(each.code, each.where) for each in loaded.found] == [
        ("ILK-C002", "plugins.settings.pub.wrod"),
        ("ILK-C006", "plugins.settings.bar"),
        ("ILK-C006", "plugins.limits.baz"),
    ]


@pytest.mark.parametrize("rules", ["disable: [pub]", "dropIns: false"])
def test_a_plugin_that_is_not_wanted_is_not_even_run(rules: str) -> None:
    assert codes(with_plugins(f"plugins: {{{rules}}}\n", pub="1 / 0\n")) == []


def test_a_file_for_tools_alone_is_not_run_as_a_plugin() -> None:
    source = with_plugins()
    files = {**source.files, "plugins/tools.py": b"'interlock_api hookimpl'\n1 / 0\n"}
    assert codes(Source(files)) == []


SECRET = """
@hookimpl
def resolve_secret(reference):
    return "from the vault" if reference.env == "VAULT_KEY" else None
"""
KEY = b"apiKey: {env: API_KEY, default: none}"


def test_a_secret_may_come_from_a_plugin() -> None:
    files = dict(with_plugins(vault=SECRET).files)
    files["interlock.yaml"] = files["interlock.yaml"].replace(KEY, b"apiKey: {env: VAULT_KEY}")
    made = build(Source(files), {})
    reference = made.snapshot.settings.providers["anthropic"].api_key
    assert made.secrets.resolve(reference, {"VAULT_KEY": "other"}) == "from the vault"
    files.pop("plugins/vault.py")
    assert codes(Source(files)) == ["ILK-C013"]


def test_a_plugin_that_fails_to_give_a_secret_is_a_finding() -> None:
    vault = "@hookimpl\ndef resolve_secret(reference):\n    return 5\n"
    assert codes(with_plugins(vault=vault)) == ["ILK-P108"]


LIFE = """
import sys
TOLD = sys.modules["tests.unit.hooks.told"].TOLD

@hookimpl
async def on_generation_start(generation):
    TOLD.append(("start", generation.agents, generation.plugins))

@hookimpl
def on_generation_stop():
    TOLD.append(("stop",))

@hookimpl
def on_event(event):
    TOLD.append(("event", event.type))
"""


async def test_a_plugin_is_told_of_its_generation_from_the_start_to_the_stop() -> None:
    from tests.unit.hooks.told import TOLD

    TOLD.clear()
    made = generation(life=LIFE)
    await made.start()
    made.plugins.event(EVENT)
    made.plugins.event(replace(EVENT, type="plan"))
    await made.close()
    assert TOLD[0] == ("start", ("support",), ("builtin-guardrails", "builtin-sinks", "life"))
    assert TOLD[1:] == [("event", "response"), ("event", "plan"), ("stop",)]
    assert not [name for name in sys.modules if name.startswith("interlock_hooks_life")]


async def test_a_plugin_that_cannot_start_has_the_configuration_rejected() -> None:
    from tests.unit.hooks.told import TOLD

    TOLD.clear()
    bad = "@hookimpl\nasync def on_generation_start():\n    raise OSError('no disk')\n"
    with pytest.raises(Refused) as caught:
        await build_candidate(with_plugins(a_life=LIFE, bad=bad), {}, clients=Clients())
    assert caught.value.reason == "plugin"
    [found] = caught.value.found
    assert str(found) == (
        "plugins/bad.py:7:1: error[ILK-P108]: the plugin 'bad' failed in on_generation_start(): "
        "OSError: no disk"
    )
    assert [each[0] for each in TOLD] == ["start", "stop"]


async def test_an_edit_of_the_same_size_in_the_same_second_is_another_plugin() -> None:
    code = "@hookimpl\ndef guard_input(data):\n    return Deny('{}')\n"
    first, second = generation(one=code.format("a")), generation(one=code.format("b"))
    assert await judged(first, "input", "x") == [Deny("a")]
    assert await judged(second, "input", "x") == [Deny("b")]
    await second.close()
    assert await judged(first, "input", "x") == [Deny("a")]
    await first.close()


async def test_events_are_written_to_the_sinks_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sinks = "sinks: [{use: jsonl, with: {path: var/trace.jsonl}}, {use: console}]\n"
    made = generation(sinks, project=tmp_path)
    made.plugins.event(EVENT)
    made.plugins.event(replace(EVENT, sequence=2))
    await made.close()
    lines = (tmp_path / "var" / "trace.jsonl").read_bytes().splitlines()
    assert [from_json(line) for line in lines] == [
        EVENT.to_json(),
        {**EVENT.to_json(), "sequence": 2},
    ]
    line = '00:00:00.000 turn_1 1 response {"reply":"hello"}\n'
    assert capsys.readouterr().err == line * 2


def test_a_missing_sink_is_told_with_the_nearest() -> None:
    loaded, _ = check(with_plugins("sinks: [{use: jsonll}]\n"), {})
    assert [(each.code, each.hint) for each in loaded.found] == [
        ("ILK-C006", "did you mean 'jsonl'?")
    ]


async def test_every_fault_of_every_plugin_is_told_at_once() -> None:
    one = "@hookimpl\ndef guard_inptu(data): ...\n\n@hookimpl\ndef guard_output(text): ...\n"
    two = "@hookimpl\nasync def register_sinks(): ...\n"
    with pytest.raises(ConfigError) as caught:
        generation(one=one, two=two)
    assert [(each.code, str(each.location)) for each in caught.value.diagnostics] == [
        ("ILK-P102", "plugins/one.py:6:1"),
        ("ILK-P103", "plugins/one.py:9:1"),
        ("ILK-P104", "plugins/two.py:6:1"),
    ]
