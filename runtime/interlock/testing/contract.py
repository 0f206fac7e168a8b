"""The contract suite: whether a plugin keeps to what it is called with, and stands odd input."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from interlock.config.source import Source
from interlock.diagnostics import Diagnostic
from interlock.errors import ConfigError
from interlock.hooks.data import GuardContext
from interlock.hooks.dispatch import PluginCallError
from interlock.hooks.plugins import Member, failed_hook
from interlock.model.base import JsonObject
from interlock.reload.generation import Generation, build
from interlock.testing.project import SMALL_PROJECT
from interlock.turn.guard import Deny, Evidence, GuardrailInput, NoJudge, Redact, Stage

__all__ = ["SAMPLES", "check_plugin"]

_TEXTS = ("Where is ORD-1001?", "", "x" * 20_000, "日本\u202e\u0000\U0001f600", "{'not': json")

SAMPLES: Mapping[Stage, tuple[GuardrailInput, ...]] = {
    "input": tuple(GuardrailInput("input", text) for text in _TEXTS),
    "tool_call": tuple(
        GuardrailInput("tool_call", to_json(arguments).decode(), "get_order", arguments)
        for arguments in ({}, {"order_id": "ORD-1001"}, {"order_id": None, "extra": [1, {"a": 2}]})
    ),
    "tool_result": tuple(GuardrailInput("tool_result", text, "get_order") for text in _TEXTS),
    "output": tuple(
        GuardrailInput("output", text, evidence=(Evidence("customer", text),)) for text in _TEXTS
    ),
}
"""What a guard must be able to judge, whatever it decides."""


def check_plugin(
    plugin: Path | str, *, settings: Mapping[str, Any] | None = None
) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a plugin's file; nothing if it keeps the contract.

    It is loaded in a small project, as the service would load it, and each of its guards is asked
    about texts that are ordinary, empty, long, and odd. A plugin that asks a model gets no verdict.

    Args:
        plugin: the file, such as `plugins/pii.py`.
        settings: what stands under `plugins.settings` for it.
    """
    path = Path(plugin)
    name = path.stem
    files: dict[str, bytes] = {key: text.encode() for key, text in SMALL_PROJECT.items()}
    rules: JsonObject = {"required": [name]}
    if settings:
        rules["settings"] = {name: dict(settings)}
    files["interlock.yaml"] += b"plugins: " + to_json(rules) + b"\n"
    files[f"plugins/{name}.py"] = path.read_bytes()
    try:
        generation = build(Source(files), {}, project=path.parent)
    except ConfigError as error:
        found = error.diagnostics
        # What is required is not there because of what is told beside that.
        return tuple(each for each in found if each.code != "ILK-P109") or found
    found_in_thread: list[Diagnostic] = []

    def exercise() -> None:
        found_in_thread.extend(asyncio.run(_exercise(generation, name)))

    # In a thread of its own, so that it can be called where an event loop runs already.
    thread = threading.Thread(target=exercise, name="interlock-check-plugin")
    thread.start()
    thread.join()
    return (*generation.found, *found_in_thread)


async def _exercise(generation: Generation, name: str) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    try:
        await generation.start()
        for member in generation.plugins.members:
            if member.name == name:
                found += [each async for each in _judge(member)]
    except ConfigError as error:
        found += error.diagnostics
    finally:
        await generation.close()
    return found


async def _judge(member: Member) -> AsyncIterator[Diagnostic]:
    for stage, samples in SAMPLES.items():
        hook = member.hooks.get(f"guard_{stage}")
        for data in samples if hook is not None else ():
            assert hook is not None
            ctx = GuardContext("support", NoJudge())
            try:
                bound = hook.bind(data=data, settings=member.settings, ctx=ctx)
                decision = await member.caller.call(hook.hook, bound)
                if not (decision is None or isinstance(decision, Deny | Redact)):
                    raise TypeError(f"it gave {decision!r} for {_shown(data)}")
            except PluginCallError as error:
                yield failed_hook(member.found, hook.hook, error.__cause__ or error)
                break
            except TypeError as error:
                yield failed_hook(member.found, hook.hook, error)
                break


def _shown(data: GuardrailInput) -> str:
    return repr(data.text if len(data.text) <= 40 else f"{data.text[:40]}...")
