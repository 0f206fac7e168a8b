"""`format`: the form of a text, checked without a model: length, patterns, JSON, no Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from jsonschema import Draft202012Validator
from pydantic import Field
from pydantic_core import from_json

from interlock.model.guardrail import GuardrailSettings, JsonSchema, Regex
from interlock.turn.guard import Deny, GuardrailInput, Judge

__all__ = ["Format", "FormatSettings"]

_MARKDOWN = (
    ("a heading", re.compile(r"^#{1,6} ", re.MULTILINE)),
    ("bold text", re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")),
    ("code", re.compile(r"```|`[^`\n]+`")),
    ("a link", re.compile(r"\[[^\[\]\n]{1,300}\]\([^()\n]{1,1000}\)")),
    ("a list", re.compile(r"^[ \t]{0,8}[-*+] ", re.MULTILINE)),
    ("a table", re.compile(r"^\|[ :|-]{3,}$", re.MULTILINE)),
)

_MOST_PROBLEMS = 3


class FormatSettings(GuardrailSettings):
    """The settings of `format`; each one that is left out checks nothing."""

    max_words: Annotated[int, Field(ge=1)] | None = Field(default=None, examples=[120])
    """The most words that pass."""
    must_match: tuple[Regex, ...] = ()
    """Regular expressions that each have to be found."""
    must_not_match: tuple[Regex, ...] = ()
    """Regular expressions that must not be found."""
    json_: JsonSchema | None = Field(default=None, alias="json", examples=[{"type": "object"}])
    """A JSON Schema; the text has to be JSON that is valid by it."""
    no_markdown: bool = False
    """Whether Markdown is forbidden, for channels that show it as it is written."""


class Format:
    """Looks at the text alone."""

    name = "format"

    def __init__(self, settings: FormatSettings) -> None:
        self._settings = settings
        self._wanted = tuple(re.compile(text) for text in settings.must_match)
        self._forbidden = tuple(re.compile(text) for text in settings.must_not_match)
        schema = settings.json_
        self._validator = None if schema is None else Draft202012Validator(schema)

    async def check(self, data: GuardrailInput, judge: Judge) -> Deny | None:
        """Denies a text of the wrong form; the message names all that is wrong."""
        found = list(self._problems(data.text))
        if not found:
            return None
        return Deny("; ".join(message for _, message in found), found[0][0])

    def _problems(self, text: str) -> Iterator[tuple[str, str]]:
        most = self._settings.max_words
        if most is not None and (words := len(text.split())) > most:
            yield "maxWords", f"it has {words} words; at most {most} are allowed"
        for pattern in self._wanted:
            if pattern.search(text) is None:
                yield "mustMatch", f"it lacks what matches {pattern.pattern}"
        for pattern in self._forbidden:
            found = pattern.search(text)
            if found is not None:
                shown = found[0][:80]
                yield "mustNotMatch", f"it holds '{shown}', which matches {pattern.pattern}"
        if self._validator is not None:
            yield from (("json", problem) for problem in _json_problems(text, self._validator))
        if self._settings.no_markdown:
            marks = [name for name, pattern in _MARKDOWN if pattern.search(text)]
            if marks:
                yield "noMarkdown", f"it must be plain text, and has {', '.join(marks)}"


def _json_problems(text: str, validator: Draft202012Validator) -> Iterator[str]:
    try:
        value = from_json(text)
    except ValueError:
        yield "it is not JSON"
        return
    for number, error in enumerate(validator.iter_errors(value)):
        if number == _MOST_PROBLEMS:
            return
        yield f"{error.json_path}: {error.message}"
