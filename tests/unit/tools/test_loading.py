from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from interlock.errors import ToolDefinitionError
from interlock.model.tool import Tool
from interlock.tools.loading import FunctionLoader, PluginFunction
from tests.unit.tools.declared import declare

PATH = "plugins/look.py"


@dataclass
class Loading:
    """Loads functions, and forgets them after the test."""

    loaders: list[FunctionLoader]

    def load(
        self, source: str | bytes, reference: str = f"{PATH}:run", **keys: Any
    ) -> PluginFunction:
        content = source.encode() if isinstance(source, str) else source
        self.loaders.append(FunctionLoader({PATH: content}))
        return self.loaders[-1].load(tool(reference, **keys), reference)

    def fail(self, source: str | bytes, reference: str = f"{PATH}:run", **keys: Any) -> str:
        with pytest.raises(ToolDefinitionError) as found:
            self.load(source, reference, **keys)
        assert (found.value.tool, found.value.key) == ("look", "python.function")
        return found.value.problem


def tool(reference: str, **keys: Any) -> Tool:
    return declare(python={"function": reference}, **keys)


@pytest.fixture
def loading() -> Iterator[Loading]:
    loading = Loading([])
    yield loading
    for loader in loading.loaders:
        loader.forget()


def test_a_function_is_compiled_from_the_bytes_of_the_snapshot(loading: Loading) -> None:
    function = loading.load("def run(order_id): return order_id * 2")
    assert function.call(order_id="x") == "xx"
    assert not function.is_async
    assert function.call.__module__.startswith("interlock_plugin_look_")


def test_an_edit_of_the_same_size_is_another_module(loading: Loading) -> None:
    old = loading.load("def run(order_id): return 1")
    new = loading.load("def run(order_id): return 2")
    assert (old.call(order_id=""), new.call(order_id="")) == (1, 2)
    assert old.call.__module__ != new.call.__module__


def test_tools_of_one_file_share_its_state() -> None:
    source = b"seen = []\ndef run(order_id): seen.append(order_id); return seen\nlook = run"
    loader = FunctionLoader({PATH: source})
    loader.load(tool(f"{PATH}:run"), f"{PATH}:run").call(order_id=1)
    assert loader.load(tool(f"{PATH}:look"), f"{PATH}:look").call(order_id=2) == [1, 2]
    loader.forget()


def test_dataclasses_and_annotations_work_in_a_plugin(loading: Loading) -> None:
    source = """
from __future__ import annotations
from dataclasses import asdict, dataclass
from typing import ClassVar, get_type_hints

@dataclass
class Found:
    kind: ClassVar[str] = "x"
    number: int = 1

def run(order_id): return asdict(Found()), str(get_type_hints(Found)["number"])
"""
    assert loading.load(source).call(order_id="") == ({"number": 1}, "<class 'int'>")


def test_a_traceback_shows_the_lines_that_run(loading: Loading) -> None:
    function = loading.load("def run(order_id):\n    raise LookupError('gone')\n")
    with pytest.raises(LookupError) as found:
        function.call(order_id="")
    text = "".join(traceback.format_exception(found.value))
    assert f'File "{PATH}", line 2, in run' in text
    assert "raise LookupError('gone')" in text
    linecache.checkcache()
    assert linecache.getline(PATH, 1) == "def run(order_id):\n"


def test_a_declared_encoding_is_respected(loading: Loading) -> None:
    source = "# -*- coding: latin-1 -*-\ndef run(order_id): return 'ä'".encode("latin-1")
    assert loading.load(source).call(order_id="") == "ä"


def test_forgetting_leaves_no_module_behind() -> None:
    loader = FunctionLoader({PATH: b"def run(order_id): pass"})
    name = loader.load(tool(f"{PATH}:run"), f"{PATH}:run").call.__module__
    assert name in sys.modules
    loader.forget()
    assert name not in sys.modules


def test_generations_of_the_same_bytes_have_a_module_each() -> None:
    old, new = (FunctionLoader({PATH: b"def run(order_id): return seen"}) for _ in range(2))
    first = old.load(tool(f"{PATH}:run"), f"{PATH}:run").call.__module__
    second = new.load(tool(f"{PATH}:run"), f"{PATH}:run").call.__module__
    assert first != second
    new.forget()
    assert first in sys.modules
    assert second not in sys.modules
    old.forget()


def test_a_function_of_a_package_is_imported() -> None:
    reference = "tests.unit.tools.packaged:run"
    function = FunctionLoader({}).load(tool(reference), reference)
    assert function.is_async
    assert function.call.__module__ == "tests.unit.tools.packaged"


def test_an_async_function_is_recognised(loading: Loading) -> None:
    assert loading.load("async def run(order_id): pass").is_async


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def run(:", f"{PATH}:1: SyntaxError: invalid syntax; correct the file"),
        ("x = 1\n\nraise ValueError('no')", f"{PATH}:3: ValueError: no; correct the file"),
        ("import no_such_package", f"{PATH}:1: ModuleNotFoundError: No module named 'no_such_pac"),
        ("import sys\nsys.exit(3)", f"{PATH}:2: SystemExit: 3; correct the file"),
        ("a\0b", f"{PATH}"),
        ("def rum(order_id): pass", f"{PATH} has no 'run'; did you mean 'rum'?"),
        ("def other(order_id): pass", f"{PATH} has no 'run'; define it there, or correct the name"),
        ("run = 3", f"'run' in {PATH} is not a function; name one"),
        ("def run(): pass", "run() has no parameter 'order_id', which is an input; add it"),
        ("def run(order_id, /): pass", "run() has no parameter 'order_id'"),
        (
            "def run(order_id, shop): pass",
            "run() needs 'shop', which is no input; declare it in input.properties, bind it, "
            "or give it a default",
        ),
        ("def run(a, /, order_id): pass", "run() must take 'a' by keyword; remove the '/'"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named_with_the_way_out(
    loading: Loading, source: str, says: str
) -> None:
    before = set(sys.modules)
    assert loading.fail(source).startswith(says)
    loading.loaders[-1].forget()
    assert not any(name.startswith("interlock_plugin") for name in set(sys.modules) - before)


def test_a_missing_file_names_the_nearest(loading: Loading) -> None:
    assert loading.fail("", "plugins/lok.py:run") == (
        "there is no file plugins/lok.py; did you mean 'plugins/look.py'?"
    )
    assert loading.fail("", "other.py:run") == (
        "there is no file other.py; put it into the project's plugins/"
    )


def test_a_missing_package_says_what_to_do(loading: Loading) -> None:
    problem = loading.fail("", "no_such_package.tools:run")
    assert problem.startswith("cannot import no_such_package.tools: ModuleNotFoundError")
    assert problem.endswith("install the package that holds it, or correct the name")


@pytest.mark.parametrize(
    ("source", "takes_key"),
    [
        ("def run(order_id, idempotency_key): pass", True),
        ("def run(order_id, *, idempotency_key=None): pass", True),
        ("def run(order_id): pass", False),
        ("def run(**input): pass", False),
    ],
)
def test_a_function_can_ask_for_the_idempotency_key(
    loading: Loading, source: str, takes_key: bool
) -> None:
    assert loading.load(source).takes_key == takes_key


def test_an_input_of_that_name_is_an_input(loading: Loading) -> None:
    source = "def run(idempotency_key): pass"
    assert not loading.load(source, inputs=["idempotency_key"]).takes_key


def test_bound_inputs_are_inputs(loading: Loading) -> None:
    loading.load("def run(order_id, customer): pass", bind={"customer": "{{ session.customerId }}"})


SHOP = """
class Shop:
    def look(self, order_id):
        return self, order_id
shop = Shop()
"""


def test_a_method_of_an_object_is_bound_to_it(loading: Loading) -> None:
    function = loading.load(SHOP, f"{PATH}:shop.look")
    holder, order = function.call(order_id="x")
    assert (type(holder).__name__, order) == ("Shop", "x")


def test_a_missing_method_names_the_nearest(loading: Loading) -> None:
    assert loading.fail(SHOP, f"{PATH}:shop.lok") == f"{PATH} has no 'lok'; did you mean 'look'?"
    assert loading.fail(SHOP, f"{PATH}:shp.look") == f"{PATH} has no 'shp'; did you mean 'shop'?"
