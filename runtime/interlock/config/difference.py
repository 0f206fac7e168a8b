"""Where two configurations differ, part by part and without a judgement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from interlock.config.diff_tree import ORDER, Tree, agent_tree, settings_tree, tool_tree
from interlock.config.snapshot import Snapshot
from interlock.model.base import Document

__all__ = ["PLUGINS", "Difference", "Kind", "SubjectKind", "differences", "path_text"]

PLUGINS = "plugins/"
"""Where the files are whose bytes count as they are."""

Kind = Literal["added", "removed", "changed"]
SubjectKind = Literal["agent", "tool", "service", "plugin"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is there on one side only, or that is not the same on both."""

    subject: SubjectKind
    name: str
    """The agent's or the tool's name, or the plugin's path; empty for the service."""
    path: tuple[str, ...]
    """The segments of the part's path; none for the subject as a whole."""
    before: Tree
    """None where the part is not there."""
    after: Tree

    @property
    def kind(self) -> Kind:
        """What happened to the part."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def differences(
    before: Snapshot, after: Snapshot, guardrails: Mapping[str, type[Document]]
) -> Iterator[Difference]:
    """All differences: agents, tools, the service, plugins, each in the order of their keys."""
    yield from _of_subjects(
        "agent",
        {name: (agent, before.prompts[name]) for name, agent in before.agents.items()},
        {name: (agent, after.prompts[name]) for name, agent in after.agents.items()},
        lambda agent, texts: agent_tree(agent, texts, guardrails),
    )
    yield from _of_subjects("tool", _alone(before.tools), _alone(after.tools), tool_tree)
    yield from _of_subjects(
        "service", {"": (before.settings,)}, {"": (after.settings,)}, settings_tree
    )
    yield from _of_subjects("plugin", _plugins(before), _plugins(after), _hash)


def path_text(path: tuple[str, ...]) -> str:
    """A path as people write it: `guardrails.output[max_length].with.characters`."""
    text = ""
    for segment in path:
        if segment == ORDER:
            text += f" {segment}"
        else:
            text += segment if not text or segment.startswith("[") else f".{segment}"
    return text


def _alone(parts: Mapping[str, Any]) -> Mapping[str, tuple[Any, ...]]:
    return {name: (part,) for name, part in parts.items()}


def _plugins(snapshot: Snapshot) -> Mapping[str, tuple[Any, ...]]:
    files = snapshot.files.items()
    return {path: (data,) for path, data in files if path.startswith(PLUGINS)}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _of_subjects(
    kind: SubjectKind,
    before: Mapping[str, tuple[Any, ...]],
    after: Mapping[str, tuple[Any, ...]],
    tree: Callable[..., Tree],
) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None and all(map(_is_unchanged, old, new)):
            continue
        trees = (None if parts is None else tree(*parts) for parts in (old, new))
        for path, was, is_now in _compare((), *trees):
            yield Difference(kind, name, path, was, is_now)


def _is_unchanged(before: Any, after: Any) -> bool:
    # Loading gives the same document for the same bytes, which makes small changes of large
    # configurations cheap to compare. Documents are not asked: to them, true is 1.
    return before is after or (not isinstance(before, Document) and bool(before == after))


def _compare(
    path: tuple[str, ...], before: Tree, after: Tree
) -> Iterator[tuple[tuple[str, ...], Tree, Tree]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for segment in {**before, **after}:
            at = (*path, segment)
            if segment == ORDER:
                yield from _compare_order(at, before.get(ORDER, []), after.get(ORDER, []))
            else:
                yield from _compare(at, before.get(segment), after.get(segment))
    elif not _same(before, after):
        yield path, before, after


def _compare_order(
    path: tuple[str, ...], before: list[str], after: list[str]
) -> Iterator[tuple[tuple[str, ...], Tree, Tree]]:
    """The order of what is on both sides; what is only on one is a difference of its own."""
    old = [segment for segment in before if segment in after]
    new = [segment for segment in after if segment in before]
    if old != new:
        yield path, [segment[1:-1] for segment in old], [segment[1:-1] for segment in new]


def _same(before: Tree, after: Tree) -> bool:
    # Not by ==, for which true is 1.
    return type(before) is type(after) and _canonical(before) == _canonical(after)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
