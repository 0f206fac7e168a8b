"""Whether a secret stands in the files, from where it gets into stores, logs and backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interlock.config.agents import prompt_path
from interlock.config.locating import locate, locate_in_file
from interlock.config.placed import Placed
from interlock.config.snapshot import PromptTexts
from interlock.config.validate import Loc, document_path
from interlock.config.yaml import YamlDocument
from interlock.diagnostics import Diagnostic, Location
from interlock.model.agent import Agent
from interlock.redaction import find_secrets, names_secret

__all__ = ["find_secrets_in_document", "find_secrets_in_prompt_files"]

_SHORTEST = 8
"""A shorter text under a key such as `token` is more likely a word than a secret."""


def find_secrets_in_document(document: YamlDocument) -> Iterator[Diagnostic]:
    """ILK-C026: texts of a YAML file that look like secrets, by themselves or by their key."""
    for at, text in _texts(document.value, ()):
        yield from _in_text(document, at, text)


def find_secrets_in_prompt_files(placed: Placed[Agent], texts: PromptTexts) -> Iterator[Diagnostic]:
    """ILK-C026: prompts in files of their own, which are shown to models as well."""
    prompts = placed.model.prompts
    for prompt, text in ((prompts.system, texts.system), (prompts.planner, texts.planner)):
        path = prompt_path(placed, prompt)
        if path is None or text is None:
            continue
        for secret in find_secrets(text):
            line = text.count("\n", 0, secret.start) + 1
            word = text[secret.start : secret.end].splitlines()[0]
            place = locate_in_file(path, text, line=line, word=word)
            yield _finding(f"the prompt holds what looks like {secret.kind}", place, "")


def _texts(value: Any, at: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*at, index))


def _in_text(document: YamlDocument, at: Loc, text: str) -> Iterator[Diagnostic]:
    where = document_path(at)
    found = list(find_secrets(text))
    for secret in found:
        line = text.count("\n", 0, secret.start) + 1
        word = text[secret.start : secret.end].splitlines()[0]
        place = locate(document, at, line=line, word=word)
        yield _finding(f"{where} holds what looks like {secret.kind}", place, where)
    if not found and _is_named_secret(at, text):
        message = f"{where} is written out here, and its name says that it is a secret"
        yield _finding(message, document.place(at).value, where)


def _is_named_secret(at: Loc, text: str) -> bool:
    """Whether a text stands where a secret belongs, and is neither a reference nor a word."""
    names = [part for part in at if isinstance(part, str)]
    if not names or at[-1] != names[-1] or "{{" in text:
        return False
    if names[-2:-1] == ["headers"] and names_secret(names[-1]):
        return len(text.strip()) >= _SHORTEST
    shortest = _SHORTEST
    if names[-1] == "default":
        # What stands in for a variable is there to be seen, unless it is plainly no word.
        del names[-1]
        shortest = 2 * _SHORTEST
    if not names or not names_secret(names[-1]):
        return False
    return len(text) >= shortest and " " not in text and any(map(str.isdigit, text))


def _finding(message: str, place: Location, where: str) -> Diagnostic:
    if place.path.startswith("agents.d/"):
        way = "take it out, as models repeat what they read"
    elif place.path.startswith("tools.d/"):
        way = "write {{ env.NAME }} in its place"
    elif where.startswith(("environment", "variables")):
        way = "set it in the environment of the service"
    else:
        way = "write {env: NAME} or {file: PATH} in its place"
    hint = f"{way}; and replace the secret: whoever could read this file has it"
    return Diagnostic("ILK-C026", message, place, hint, where=where)
