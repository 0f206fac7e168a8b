"""What an editor shows over a key."""

from __future__ import annotations

import pytest

from tests.e2e.editor.draft import CURSOR, draft
from tests.e2e.editor.language_server import LanguageServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("kind", "marked", "shown"),
    [
        (
            "tool",
            f"whenNot{CURSOR}ToUse: Never.\n",
            [
                "When it should not; the model reads this. It prevents most wrong choices.",
                "Example",
            ],
        ),
        ("tool", f"ht{CURSOR}tp:\n  url: x\n", ["Carries the tool out by an HTTP request."]),
        ("tool", f"cat{CURSOR}egory: lookup\n", ["* `lookup`", "* `mutation`"]),
        (
            "agent",
            f"limits: {{turn{CURSOR}Timeout: 3s}}\n",
            ["How long one turn may take.", "```yaml\n500ms\n```"],
        ),
        ("agent", f"lim{CURSOR}its:\n  maxTokens: 1\n", ["What a conversation and a turn may use"]),
        (
            "agent",
            f"guardrails:\n  input: [{{use: max_length, with: {{chara{CURSOR}cters: 9}}}}]\n",
            ["The longest text that passes."],
        ),
        ("agent", f"prompts: {{sys{CURSOR}tem: x}}\n", ["Who the agent is and how it works"]),
        (
            "interlock",
            f"models:\n  a: {{eff{CURSOR}ort: low}}\n",
            ["How much the model thinks", "* `low`"],
        ),
    ],
)
async def test_a_key_is_explained(
    editor: LanguageServer, kind: str, marked: str, shown: list[str]
) -> None:
    new = draft(kind, marked)
    text = await editor.hover(new.path, new.text, new.at)
    assert [part for part in shown if part not in text] == [], text
