"""Findings about a configuration: where, how bad, what, and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from interlock.redaction import mask_line, without_secrets

__all__ = ["CODES", "Diagnostic", "Location", "Severity", "nearest", "render_text"]

Severity = Literal["error", "warning"]

CODES: Mapping[str, str] = {
    "ILK-Y001": "The file is not valid YAML.",
    "ILK-Y002": "The file is not UTF-8 text.",
    "ILK-Y003": "A key stands twice in one mapping.",
    "ILK-Y004": "A plain value that YAML versions read differently.",
    "ILK-Y005": "A YAML feature that configuration may not use.",
    "ILK-Y006": "The file is too large or expands too far.",
    "ILK-C001": "A required key is missing.",
    "ILK-C002": "The key is not known here.",
    "ILK-C003": "The value is of the wrong type or out of range.",
    "ILK-C004": "A required file or folder is missing.",
    "ILK-C005": "Two documents have the same name.",
    "ILK-C006": "The name refers to nothing that is declared.",
    "ILK-C007": "The template is not valid.",
    "ILK-C008": "The template uses an undefined variable.",
    "ILK-C009": "The JSON Schema of a tool's input is not valid.",
    "ILK-C010": "The expression or regular expression is not valid.",
    "ILK-C011": "A bound value is also offered to the model.",
    "ILK-C012": "A cost limit is declared for a model whose price is unknown.",
    "ILK-C013": "An environment variable that the configuration refers to is not set.",
    "ILK-C014": "The Python function of a tool cannot be loaded.",
    "ILK-C015": "The limits leave no room for one answer.",
    "ILK-C016": "No agent uses the tool.",
    "ILK-C017": "No step of the agent can reach the tool.",
    "ILK-C018": "The agent has more tools than its steps can tell apart.",
    "ILK-C019": "A step offers more tools than a model chooses well from.",
    "ILK-C020": "Two tools of an agent are described too much alike.",
    "ILK-C021": "The tool does not say when it must not be used.",
    "ILK-C022": "A mutation that is asked for twice happens twice.",
    "ILK-C023": "The idempotency key of a mutation reaches nobody.",
    "ILK-C024": "A prompt needs a session claim that may be missing.",
    "ILK-C025": "A prompt cannot be rendered.",
    "ILK-C026": "A value that looks like a secret stands in the files.",
    "ILK-C027": "The regular expression can take almost for ever.",
    "ILK-C028": "The price of a model is unknown.",
    "ILK-C029": "The file of a secret cannot be used.",
    "ILK-C030": "The call of a fast path does not fit its tool.",
    "ILK-C031": "A conversation can use its limits up before the first answer.",
    "ILK-C032": "The reserve is too small for a last answer.",
    "ILK-C060": "An API key has no role.",
    "ILK-C061": "The key of session tokens cannot be used.",
    "ILK-P101": "A plugin cannot be loaded.",
    "ILK-P102": "A plugin implements a hook that there is not.",
    "ILK-P103": "A plugin's hook takes an argument that it is not handed.",
    "ILK-P104": "A plugin's hook is async where nothing can be awaited.",
    "ILK-P105": "A plugin's hook asks for a place in the order.",
    "ILK-P106": "A plugin does not say which version of the hooks it is for, or says another one.",
    "ILK-P107": "Two plugins have the same name.",
    "ILK-P108": "A plugin's hook failed while the configuration was made ready.",
    "ILK-P109": "A required plugin is missing, disabled or too old.",
    "ILK-P110": "A function of a plugin has the name of a hook, but is not marked as one.",
    "ILK-P111": "Two plugins register something by the same name.",
    "ILK-P112": "A rule of a plugin's own is broken.",
    "ILK-R001": "A file cannot be read right now.",
    "ILK-R002": "A file is a link that leads out of the project.",
    "ILK-R003": "The change removes too much to be made without being asked for.",
    "ILK-R004": "The change would leave the service open to everyone.",
    "ILK-R005": "The configuration could not be loaded, for no fault that can be found in it.",
    "ILK-R006": "The active configuration is not the one that was expected.",
    "ILK-R007": "The configuration was tried on some conversations, and did worse.",
    "ILK-R008": "The code of a plugin can be changed by others.",
}
"""Every code with the sentence that explains it."""


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1, the path is relative to the project."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `where` is the path inside the document, such as `limits.maxTokens`.

    Whatever looks like a secret is taken out of its words, as findings are logged and sent.
    """

    code: str
    message: str
    location: Location
    hint: str | None = None
    severity: Severity = "error"
    where: str = ""

    def __post_init__(self) -> None:
        for name in ("message", "hint", "where"):
            text = getattr(self, name)
            if text:
                object.__setattr__(self, name, without_secrets(text))

    def __str__(self) -> str:
        return f"{self.location}: {self.severity}[{self.code}]: {self.message}"

    def to_json(self) -> dict[str, object]:
        """The finding as JSON, for the API and for other programs."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.location.path,
            "line": self.location.line,
            "column": self.location.column,
            "where": self.where,
            "hint": self.hint,
        }


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def render_text(found: Iterable[Diagnostic], files: Mapping[str, bytes]) -> str:
    """All findings for a terminal, each with its line and a caret under the place."""
    return "\n".join(_render(diagnostic, files) for diagnostic in found)


def _render(diagnostic: Diagnostic, files: Mapping[str, bytes]) -> str:
    lines = [str(diagnostic)]
    source = _line(files, diagnostic.location)
    if source is not None:
        number = f"{diagnostic.location.line:>5}"
        caret = " " * (diagnostic.location.column - 1) + "^"
        lines += [f"{number} | {source}", f"      | {caret}"]
    if diagnostic.hint:
        lines.append(f"      = hint: {diagnostic.hint}")
    return "\n".join(lines)


def _line(files: Mapping[str, bytes], location: Location) -> str | None:
    content = files.get(location.path)
    if content is None:
        return None
    lines = content.decode("utf-8", "replace").splitlines()
    if location.line > len(lines):
        return None
    # A tab would move the caret; one column a character keeps it under the place.
    return mask_line(lines[location.line - 1].replace("\t", " "))
