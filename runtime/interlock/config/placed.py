"""A validated document together with the places of its parts, for findings that need both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from interlock.config.locating import locate, locate_in_file
from interlock.config.validate import Loc, document_path
from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Diagnostic, Severity
from interlock.model.base import Document
from interlock.templates import TemplateFault, compile_template, line_of, undeclared

__all__ = ["Placed"]

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Placed(Generic[D]):
    """A document, where it stands, and what was found wrong with it beyond its own shape."""

    model: D
    document: YamlDocument
    found: list[Diagnostic] = field(default_factory=list)

    def finding(
        self,
        code: str,
        message: str,
        location: Loc,
        *,
        hint: str | None = None,
        severity: Severity = "error",
        line: int = 0,
        word: str = "",
    ) -> Diagnostic:
        """A finding at `location`, or at `word` in the text there.

        `line` counts from 1 inside a text that has lines.
        """
        at = locate(self.document, location, line=line, word=word)
        return Diagnostic(code, message, at, hint, severity, where=document_path(location))

    def report(
        self,
        code: str,
        message: str,
        location: Loc,
        *,
        hint: str | None = None,
        severity: Severity = "error",
        line: int = 0,
        word: str = "",
    ) -> None:
        """Adds a finding, as `finding` makes it."""
        self.found.append(
            self.finding(
                code, message, location, hint=hint, severity=severity, line=line, word=word
            )
        )

    def check_template(
        self,
        text: str,
        location: Loc,
        *,
        names: frozenset[str],
        path: str | None = None,
    ) -> bool:
        """Whether the template is valid and takes nothing but `names`; reports what is not.

        `path` is the file that holds the text, when it has one of its own.
        """

        def report(
            code: str, message: str, line: int, hint: str | None = None, word: str = ""
        ) -> None:
            if path is None:
                self.report(code, message, location, line=line, hint=hint, word=word)
            else:
                at = locate_in_file(path, text, line=line, word=word)
                self.found.append(Diagnostic(code, message, at, hint))

        try:
            compile_template(text)
            unknown = sorted(undeclared(text) - names)
        except TemplateFault as error:
            report("ILK-C007", f"the template is not valid: {error.message}", error.line)
            return False
        hint = f"known here: {', '.join(sorted(names))}"
        for name in unknown:
            message = f"the template uses '{name}', which is not defined"
            report("ILK-C008", message, line_of(text, name), hint, name)
        return not unknown
