"""The contract: what is refused, in which words, at which line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interlock.hooks.contract import HOOKS, check_contract
from interlock.hooks.loading import Found, execute, is_plugin
from interlock.hooks.requirement import is_met, parse_requirement
from tests.unit.hooks.plugin_files import HEAD

PATH = "plugins/pii.py"


def faults(code: str, head: str = HEAD) -> list[tuple[str, int, str, str | None]]:
    content = f"{head}{code}".encode()
    found = Found("pii", execute(PATH, content), "drop-in", None, PATH)
    return [
        (each.code.removeprefix("ILK-"), each.location.line, each.message, each.hint)
        for each in check_contract(found, {PATH: content})
    ]


def test_an_argument_that_is_not_offered_is_told_with_where_it_is() -> None:
    [(code, line, message, hint)] = faults("@hookimpl\ndef guard_tool_call(tool): ...\n")
    assert (code, line) == ("P103", 6)
    assert message == "guard_tool_call() asks for 'tool', which this hook does not offer"
    assert hint == "offered: data, settings, ctx; use data.tool"


@pytest.mark.parametrize(
    ("signature", "hint"),
    [
        ("dat", "offered: data, settings, ctx; did you mean 'data'?"),
        ("zzz", "offered: data, settings, ctx"),
        ("*args", "name what it needs; offered: data, settings, ctx"),
        ("**kwargs", "name what it needs; offered: data, settings, ctx"),
        ("data, /", "remove the '/'"),
    ],
)
def test_each_way_of_asking_for_too_much_has_its_hint(signature: str, hint: str) -> None:
    [fault] = faults(f"@hookimpl\ndef guard_input({signature}): ...\n")
    assert (fault[0], fault[3]) == ("P103", hint)


@pytest.mark.parametrize("signature", ["", "data", "*, ctx", "settings, data, cache={}"])
def test_any_of_the_arguments_may_be_taken(signature: str) -> None:
    assert faults(f"@hookimpl\nasync def guard_input({signature}): ...\n") == []


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper", "tryfirst", "trylast"])
def test_no_hook_has_a_place_in_the_order(option: str) -> None:
    [fault] = faults(f"@hookimpl({option}=True)\ndef on_event():\n    yield\n")
    assert fault[0] == "P105"
    assert option in fault[2]


@pytest.mark.parametrize("name", [name for name, hook in HOOKS.items() if hook.sync])
def test_what_is_asked_while_checking_cannot_be_async(name: str) -> None:
    [fault] = faults(f"@hookimpl\nasync def {name}(): ...\n")
    assert fault[0] == "P104"


def test_a_hook_that_is_not_marked_is_told() -> None:
    [fault] = faults("def guard_output(data): ...\n\ndef helper(anything): ...\n")
    assert fault[:2] == ("P110", 5)


def test_what_is_imported_is_no_hook_of_the_plugin() -> None:
    assert faults("from interlock.hooks.specs import on_event\n") == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "does not say which version of the hooks it is for"),
        ("interlock_api = 2", "is for version 2 of the hooks, this is 1"),
        ("interlock_api = '1'", "is for version '1' of the hooks, this is 1"),
    ],
)
def test_the_version_of_the_hooks_must_be_ours(line: str, said: str) -> None:
    [fault] = faults("", head=f"from interlock import hookimpl\n{line}\n")
    assert fault[0] == "P106"
    assert fault[2] == f"the plugin 'pii' {said}"
    assert fault[1] == (2 if line else 1)


def test_the_methods_of_an_object_are_hooks_too() -> None:
    from interlock import hookimpl

    class Plugin:
        interlock_api = 1

        @hookimpl
        def on_event(self, what: object) -> None: ...

    found = Found("pii", Plugin(), "package", "1", "pii")
    assert [each.code for each in check_contract(found, {})] == ["ILK-P103"]
    assert (
        list(check_contract(Found("x", SimpleNamespace(interlock_api=1), "package", "1", "x"), {}))
        == []
    )


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        ("plugins/a.py", "from interlock import hookimpl", True),
        ("plugins/a.py", "import interlock\n@interlock.hookimpl\ndef f(): ...", True),
        ("plugins/a.py", "interlock_api = 1", True),
        ("plugins/a.py", "interlock_api: int = 1", True),
        ("plugins/a.py", "interlock_api = (", True),
        ("plugins/a.py", "x = (", False),
        ("plugins/a.py", "# not hookimpl", False),
        ("plugins/a/b.py", "interlock_api = 1", False),
        ("plugins/a.txt", "interlock_api = 1", False),
    ],
)
def test_a_plugin_is_known_without_being_run(path: str, code: str, expected: bool) -> None:
    assert is_plugin(path, code.encode()) is expected


@pytest.mark.parametrize(
    ("requirement", "version", "met"),
    [
        ("pii>=1.2", "1.2.0", True),
        ("pii>=1.2", "v1.10rc1", True),
        ("pii>=1.2.1", "1.2", False),
        ("pii>=1.2", "latest", False),
        ("pii>=1.2", None, False),
        ("pii>=0", "0.0", True),
    ],
)
def test_a_version_is_compared_by_its_numbers(
    requirement: str, version: str | None, met: bool
) -> None:
    name, least = parse_requirement(requirement)
    assert name == "pii"
    assert least is not None
    assert is_met(least, version) is met
