"""A validated document together with the places of its parts, for findings that need both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from interlock.config.validate import Loc, document_path
from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Diagnostic, Location, Severity
from interlock.model.base import Document
from interlock.templates import TemplateFault, undeclared

__all__ = ["Placed"]

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Placed(Generic[D]):
    """A document, where it stands, and what was found wrong with it beyond its own shape."""

    model: D
    document: YamlDocument
    found: list[Diagnostic] = field(default_factory=list)

    def report(
        self,
        code: str,
        message: str,
        location: Loc,
        *,
        hint: str | None = None,
        severity: Severity = "error",
        line: int = 0,
    ) -> None:
        """Adds a finding at `location`; `line` counts from 1 inside a text that has lines."""
        place = self.document.place(location)
        at = place.value
        if line and place.block:
            at = Location(at.path, at.line + line)
        self.found.append(
            Diagnostic(code, message, at, hint, severity, where=document_path(location))
        )

    def check_template(
        self,
        text: str,
        location: Loc,
        *,
        names: frozenset[str],
        fault: Callable[[str, int], None] | None = None,
    ) -> bool:
        """Whether the template is valid and takes nothing but `names`; reports what is not.

        `fault` reports instead of this document, for a text from a file of its own.
        """

        def report(code: str, message: str, line: int) -> None:
            if fault is None:
                self.report(code, message, location, line=line, hint=hint)
            else:
                fault(message, line)

        hint: str | None = None
        try:
            unknown = sorted(undeclared(text) - names)
        except TemplateFault as error:
            report("ILK-C007", f"the template is not valid: {error.message}", error.line)
            return False
        if unknown:
            hint = f"known here: {', '.join(sorted(names))}"
            line = _line_of(text, unknown[0])
            report("ILK-C008", f"the template uses '{unknown[0]}', which is not defined", line)
        return not unknown


def _line_of(text: str, name: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if name in line:
            return number
    return 1
