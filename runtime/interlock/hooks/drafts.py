"""A file to begin with for each hook: complete, and with the hook's own signature."""

from __future__ import annotations

import inspect
import re

from interlock.hooks import specs

__all__ = ["draft"]

_WIDTH = 100
_LOG = '_LOG = logging.getLogger("interlock.plugins.mine")\n'
_GUARD = """    if "forbidden" in data.text.lower():
        return Deny("it has the word 'forbidden'; leave it out")
    return None
"""
_BODIES = {
    "settings_model": ("return MySettings", ""),
    "register_guardrails": ('return {"my_words": GuardrailKind(MyWords, NoForbiddenWord)}', ""),
    "register_sinks": ('return {"my_log": SinkKind(MyLog, LogSink)}', ""),
    "check_snapshot": (
        """found = []
for name in snapshot.agents:
    if not name.islower():
        place = Location(f"agents.d/{name}.yaml")
        found.append(Diagnostic("ILK-P112", f"'{name}' is not in lower case", place))
return found""",
        "",
    ),
    "resolve_secret": (
        """# Replace this by where you keep secrets; None leaves it to the environment.
return {"MY_KEY": "s3cret"}.get(reference.env or "")""",
        "",
    ),
    "guard_input": (_GUARD, ""),
    "guard_tool_call": (_GUARD, ""),
    "guard_tool_result": (_GUARD, ""),
    "guard_output": (_GUARD, ""),
    "on_event": ('_LOG.info("%s in %s", event.type, event.conversation_id)', _LOG),
    "on_generation_start": ('_LOG.info("ready: %s", generation.digest[:12])', _LOG),
    "on_generation_stop": ('_LOG.info("done: %s", generation.digest[:12])', _LOG),
    "on_reload": ('_LOG.info("reload: %s %s", outcome.status, outcome.reason or "")', _LOG),
}
_BEFORE = {
    "settings_model": '''class MySettings(PluginSettings):
    """What stands under plugins.settings.NAME."""

    word: str = "forbidden"
    """The word that is looked for."""


''',
    "register_guardrails": '''class MyWords(PluginSettings):
    """What stands under `with:`."""

    word: str = "forbidden"
    """The word that must not be there."""


class NoForbiddenWord:
    """Denies texts with a word."""

    name = "my_words"

    def __init__(self, settings: MyWords) -> None:
        self._word = settings.word

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies a text that has the word."""
        return Deny(f"it has the word '{self._word}'") if self._word in data.text else None


''',
    "register_sinks": '''class MyLog(PluginSettings):
    """What stands under `with:`."""

    level: int = 20
    """The level of the log's lines."""


class LogSink:
    """Writes events to the log of the service."""

    def __init__(self, settings: MyLog) -> None:
        self._level = settings.level

    def write(self, event: TraceEvent) -> None:
        """Writes a line."""
        _LOG.log(self._level, "%s in %s", event.type, event.conversation_id)

    def close(self) -> None:
        """There is nothing to close."""


''',
}
_PUBLIC = re.compile(r"\b(?:[A-Z][A-Za-z]+)\b")
_ABC = ("Mapping", "Iterable")


def draft(hook: str) -> str:
    """The text of a file for `plugins/` that implements the hook. Raises `KeyError`."""
    body, log = _BODIES[hook]
    before = _BEFORE.get(hook, "")
    function = getattr(specs, hook)
    signature = str(inspect.signature(function)).replace("'", "")
    start = "async def" if inspect.iscoroutinefunction(function) else "def"
    summary = inspect.getdoc(function) or ""
    if hook == "register_sinks":
        log = _LOG
    if len(f"{start} {hook}{signature}:") > _WIDTH:
        parameters, _, result = signature.rpartition(")")
        signature = f"(\n    {parameters.removeprefix('(')}\n){result}"
    text = f"{before}@hookimpl\n{start} {hook}{signature}:\n"
    text += f'    """{summary.splitlines()[0]}"""\n'
    text += "".join(f"    {line}\n" for line in inspect.cleandoc(body).splitlines())
    return f"{_imports(text, log)}\ninterlock_api = 1\n{log}\n\n{text}"


def _imports(text: str, log: str) -> str:
    import interlock

    words = set(_PUBLIC.findall(text))
    lines = ["from __future__ import annotations\n"]
    if log:
        lines.append("import logging")
    if abc := sorted(words.intersection(_ABC)):
        lines.append(f"from collections.abc import {', '.join(abc)}")
    if log or abc:
        lines.append("")
    names = ", ".join([*sorted(words.intersection(interlock.__all__)), "hookimpl"])
    one = f"from interlock import {names}"
    if len(one) > _WIDTH:
        one = f"from interlock import (\n    {names.replace(', ', f',{chr(10)}    ')},\n)"
    lines.append(one)
    return "\n".join(lines) + "\n"
