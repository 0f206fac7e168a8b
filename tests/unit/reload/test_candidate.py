from __future__ import annotations

import threading
from collections.abc import Iterator
from unittest import mock

import pytest

from interlock.config.listing import unreadable
from interlock.config.source import Source
from interlock.diagnostics import Diagnostic, Location, Severity
from interlock.reload import candidate
from interlock.reload.candidate import Refused, build_candidate, reason_of
from interlock.reload.clients import Clients
from interlock.reload.outcome import Reason
from tests.unit.reload.sources import broken_source, make_source
from tests.unit.reload.waiting import until

PLUGIN = "tools.d/extra.yaml"
EXTRA = """
name: extra
category: lookup
description: Does more.
whenToUse: The customer asks for more.
whenNotToUse: Never for anything else.
python: {function: plugins/extra.py:extra}
"""


def with_plugin(code: str) -> Source:
    return make_source(files={PLUGIN: EXTRA, "plugins/extra.py": code})


async def refusal(source: Source) -> Refused:
    clients = Clients()
    with pytest.raises(Refused) as refused:
        await build_candidate(source, {}, clients=clients)
    await clients.close_unused()
    assert len(clients) == 0
    return refused.value


@pytest.mark.parametrize(
    ("source", "reason", "code"),
    [
        (make_source(files={"agents.d/support.yaml": "name: ["}), "parse", "ILK-Y001"),
        (broken_source(), "invalid", "ILK-C003"),
        (with_plugin("def other(): ..."), "plugin", "ILK-C014"),
        (with_plugin("raise SystemExit"), "plugin", "ILK-C014"),
        (Source({}), "mass_change", "ILK-R003"),
        (Source({}, (unreadable("agents.d", "Permission denied"),)), "unreadable", "ILK-R001"),
        (
            make_source(found=(unreadable("agents.d/x.yaml", "Input/output error"),)),
            "unreadable",
            "ILK-R001",
        ),
    ],
)
async def test_a_refusal_says_why_and_leaves_nothing_open(
    source: Source, reason: Reason, code: str
) -> None:
    refused = await refusal(source)
    assert refused.reason == reason
    assert code in {found.code for found in refused.found}


async def test_every_tool_that_cannot_be_loaded_is_told_of_at_its_place() -> None:
    second = EXTRA.replace("extra", "other")
    source = make_source(
        files={PLUGIN: f"{EXTRA}---{second}", "plugins/extra.py": "", "plugins/other.py": ""}
    )
    found = [each for each in (await refusal(source)).found if each.severity == "error"]
    assert [(each.location.path, each.location.line, each.where) for each in found] == [
        (PLUGIN, 7, "python.function"),
        (PLUGIN, 14, "python.function"),
    ]


async def test_a_valid_source_is_built_in_another_thread() -> None:
    clients = Clients()
    generation = await build_candidate(
        with_plugin("import threading\ndef extra(): ...\nTHREAD = threading.current_thread().name"),
        {},
        clients=clients,
        accept=lambda snapshot: threads.append(threading.current_thread().name) or (),
    )
    assert sorted(generation.agents) == ["support"]
    assert threads == ["interlock-build"]
    await generation.close()
    assert len(clients) == 0


threads: list[str] = []


async def test_what_is_not_accepted_is_refused_with_its_findings() -> None:
    clients = Clients()
    said = Diagnostic("ILK-R004", "not here", Location("interlock.yaml"))
    with pytest.raises(Refused) as refused:
        await build_candidate(make_source(), {}, clients=clients, accept=lambda _: [said])
    assert (refused.value.reason, refused.value.found[-1]) == ("invalid", said)
    await clients.close_unused()
    assert len(clients) == 0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a plugin waits for, under the name `interlock_test_gate`."""
    import sys
    from types import ModuleType

    module = ModuleType("interlock_test_gate")
    module.gate = threading.Event()  # type: ignore[attr-defined]  # a module made here
    sys.modules[module.__name__] = module
    yield module.gate
    module.gate.set()
    del sys.modules[module.__name__]


async def test_a_plugin_that_does_not_end_is_given_up_and_closed_when_it_does(
    gate: threading.Event,
) -> None:
    code = "from interlock_test_gate import gate\ngate.wait(60)\ndef extra(): ..."
    clients = Clients()
    with pytest.raises(Refused) as refused:
        await build_candidate(with_plugin(code), {}, clients=clients, seconds=0.2)
    assert (refused.value.reason, refused.value.found[0].code) == ("plugin", "ILK-R005")
    gate.set()
    await until(lambda: len(clients) == 0)


async def test_a_fault_of_ours_is_a_refusal_too(caplog: pytest.LogCaptureFixture) -> None:
    with mock.patch.object(candidate, "build", side_effect=ZeroDivisionError("ours")):
        refused = await refusal(make_source())
    assert refused.reason == "invalid"
    assert "unexpected ZeroDivisionError: ours" in refused.found[0].message
    assert "Traceback" in caplog.text


def found(*codes: str, severity: Severity = "error") -> list[Diagnostic]:
    return [Diagnostic(code, "x", Location("a"), severity=severity) for code in codes]


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (["ILK-C003", "ILK-R001", "ILK-Y001"], "unreadable"),
        (["ILK-C003", "ILK-Y001"], "parse"),
        (["ILK-C003", "ILK-C014"], "invalid"),
        (["ILK-C014"], "plugin"),
        (["ILK-R003"], "mass_change"),
        (["ILK-R003", "ILK-R004"], "invalid"),
        (["ILK-R002"], "invalid"),
    ],
)
def test_one_reason_stands_for_all(codes: list[str], reason: Reason) -> None:
    assert reason_of(found(*codes)) == reason
    assert reason_of([*found(*codes), *found("ILK-C016", severity="warning")]) == reason
