"""What an editor underlines: the right words on the right line, and nothing else."""

from __future__ import annotations

import pytest

from interlock.guardrails import SETTINGS
from tests.e2e.editor.draft import draft
from tests.e2e.editor.language_server import LanguageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Each fills lines 2 to 6; what a test adds starts on line 7.
GOOD = {
    "agent": (
        "name: a\ndescription: x\nmodels: {plan: p, execute: e}\ntools: [t]\nprompts: {system: x}\n"
    ),
    "tool": (
        "name: a\ncategory: lookup\ndescription: x\nwhenToUse: y\n"
        "http: {url: 'http://x', notFound: [404]}\n"
    ),
    "interlock": (
        "providers:\n  a: {apiKey: {env: KEY}}\nmodels:\n  b: {provider: a, model: m}\n"
        "  c: {provider: a, model: m}\n"
    ),
}
GUARDRAILS = ", ".join(f'"{name}"' for name in sorted(SETTINGS))
DURATION = "Must be a time such as 500ms, 10s, 5m or 1h."


@pytest.mark.parametrize("kind", sorted(GOOD))
async def test_a_valid_file_has_no_finding(editor: LanguageServer, kind: str) -> None:
    new = draft(kind, GOOD[kind])
    assert await editor.findings(new.path, new.text) == []


@pytest.mark.parametrize(
    ("kind", "added", "expected"),
    [
        (
            "agent",
            "limits:\n  maxIteratons: 3\n",
            [(8, "maxIteratons", "Property maxIteratons is not allowed.")],
        ),
        (
            "agent",
            "limits:\n  maxTokens: many\n  warnAt: '0.5'\n",
            [
                (8, "many", 'Incorrect type. Expected "integer".'),
                (9, "'0.5'", 'Incorrect type. Expected "number".'),
            ],
        ),
        (
            "agent",
            "limits:\n  maxIterations: 0\n",
            [(8, "0", "Value is below the minimum of 1.")],
        ),
        (
            "agent",
            "limits:\n  turnTimeout: 1 minute\n  toolTimeout: 90\n",
            [(8, "1 minute", DURATION), (9, "90", 'Incorrect type. Expected "string".')],
        ),
        ("agent", "limits:\n  maxCostUsd: cheap\n", [(8, "cheap", "Must be a number.")]),
        (
            "agent",
            "limits:\n  onExhausted: finish\n",
            [(8, "finish", 'Value is not accepted. Valid values: "complete", "escalate".')],
        ),
        (
            "agent",
            "guardrails:\n  input:\n    - use: max_size\n",
            [(9, "max_size", f"Value is not accepted. Valid values: {GUARDRAILS}.")],
        ),
        (
            "agent",
            "guardrails:\n  input:\n    - use: max_length\n      with: {letters: 3}\n",
            [(10, "letters", "Property letters is not allowed.")],
        ),
        (
            "agent",
            "toolSelection:\n  steps:\n    gather: [lookup]\n    respond: [look]\n",
            [
                (9, "gather", "Property gather is not allowed."),
                (
                    10,
                    "look",
                    "Value is not accepted. "
                    'Valid values: "lookup", "search", "mutation", "escalation".',
                ),
            ],
        ),
        (
            "agent",
            "fastPaths:\n  - name: 2 x\n    match: {patterns: [x]}\n    call: {tool: t}\n",
            [(8, "2 x", "Must be a letter, then letters, digits, _ and -; 64 at most.")],
        ),
        ("tool", "timeout: soon\n", [(7, "soon", DURATION)]),
        (
            "tool",
            "python: {function: 'a.py:f'}\n",
            [
                (6, "{url: 'http://x', notFound: [404]}", "carried out: by 'http' or by 'python'"),
                (7, "{function: 'a.py:f'}", "carried out: by 'http' or by 'python'"),
            ],
        ),
        (
            "tool",
            "idempotency: {key: [x]}\n",
            [(7, "{key: [x]}", "only a tool of category 'mutation' has 'idempotency'")],
        ),
        (
            "interlock",
            "store: {url: [x]}\n",
            [(7, "[x]", "Incorrect type. Expected one of string, object.")],
        ),
        (
            "interlock",
            "prices:\n  m: {input: free, output: 1}\n",
            [(8, "free", "Must be a number.")],
        ),
    ],
)
async def test_a_mistake_is_underlined(
    editor: LanguageServer, kind: str, added: str, expected: list[tuple[int, str, str]]
) -> None:
    new = draft(kind, GOOD[kind] + added)
    found = sorted(await editor.findings(new.path, new.text), key=lambda one: one.line)
    assert [(one.line, one.marked) for one in found] == [(line, word) for line, word, _ in expected]
    for one, (_, _, message) in zip(found, expected, strict=True):
        assert one.message.endswith(message)


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("tool", "category: lookup", "category: look", (3, "look", 'Valid values: "lookup"')),
        ("tool", "http:", "#", (2, "n", "a tool says how it is carried out")),
        (
            "tool",
            "category: lookup",
            "category: escalation",
            (6, "{url: 'http://x', notFound: [404]}", "an escalation tool has no 'http'"),
        ),
        ("agent", "description: x\n", "", (2, "n", 'Missing property "description".')),
        ("agent", "execute: e", "exec: e", (4, "exec", "Property exec is not allowed.")),
        (
            "interlock",
            "{env: KEY}",
            "secret",
            (3, "secret", 'Expected "{env: NAME} or {file: PATH}".'),
        ),
        ("interlock", "  b: ", "  2b: ", (5, "2b", "Must be a letter, then letters")),
    ],
)
async def test_a_mistake_in_a_part_that_must_be_there_is_underlined(
    editor: LanguageServer, kind: str, before: str, after: str, expected: tuple[int, str, str]
) -> None:
    assert before in GOOD[kind]
    new = draft(kind, GOOD[kind].replace(before, after))
    line, word, message = expected
    found = await editor.findings(new.path, new.text)
    assert [one for one in found if (one.line, one.marked) == (line, word)], found
    assert any(message in one.message for one in found), found
