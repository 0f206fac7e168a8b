"""Tools as YAML declares them, for tests."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from interlock.model.tool import Tool


def declare(category: str = "lookup", **keys: Any) -> Tool:
    """A tool named `look`; its inputs are those that `inputs` names, none of them required."""
    properties = {name: {} for name in keys.pop("inputs", ("order_id",))}
    document = {
        "name": "look",
        "category": category,
        "description": "Looks.",
        "whenToUse": "To look.",
        "input": {"type": "object", "properties": properties},
    }
    return Tool.model_validate_json(to_json(document | keys))


def http(
    category: str = "lookup", *, url: str = "/orders/{{ input.order_id }}", **keys: Any
) -> Tool:
    """A tool over HTTP at `{{ env.SHOP_URL }}`; `keys` of the tool go into `tool`."""
    tool = keys.pop("tool", {})
    keys.setdefault("method", "POST" if category == "mutation" else "GET")
    keys.setdefault("retry", {"attempts": 1, "delay": "1ms"})
    return declare(category, http={"url": "{{ env.SHOP_URL }}" + url, **keys}, **tool)


def python(source: str, category: str = "lookup", **keys: Any) -> tuple[Tool, dict[str, bytes]]:
    """A tool that is the function `run` of a plugin, and the files it needs."""
    tool = declare(category, python={"function": "plugins/look.py:run"}, **keys)
    return tool, {"plugins/look.py": source.encode()}


def also(tool: Tool, name: str) -> Tool:
    """A tool like this one, carried out by the function `name` of the same plugin."""
    assert tool.python is not None
    function = tool.python.model_copy(update={"function": f"plugins/look.py:{name}"})
    return tool.model_copy(update={"name": name, "python": function})
