"""Signatures that bind a thinking block to the conversation in which it was thought.

A signature holds short digests of the model, the tools, the system prompt and the messages before
the block, sealed together with the block's text. So nothing has to be remembered, and a server
that was restarted still knows its own blocks.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any, Final

from interlock.sim.errors import reject
from interlock.sim.prompt import Prompt
from interlock.sim.request import Request

__all__ = ["check_thinking", "sign_thinking"]

_SIZE: Final = 8
_KEY: Final = b"interlock simulator"
_PORTABLE: Final = "claude-haiku-5-5"
"""The model whose blocks every other model reads."""


def sign_thinking(model: str, prompt: Prompt, thinking: str) -> str:
    """The signature of a block that is the first answer to `prompt`."""
    messages = blake2b(digest_size=_SIZE)
    for pieces in prompt.messages:
        for piece in pieces:
            messages.update(piece.data)
    bound = _digest(model.encode()) + _prefix(prompt) + messages.digest()
    return base64.b64encode(bound + _seal(bound, thinking)).decode()


def check_thinking(request: Request, prompt: Prompt) -> None:
    """Refuses a replayed thinking block that is not ours, was changed, or is bound elsewhere."""
    if not any(
        block["type"] == "thinking" for message in request.messages for block in message.blocks
    ):
        return
    prefix = _prefix(prompt)
    messages = blake2b(digest_size=_SIZE)
    for index, message in enumerate(request.messages):
        for number, block in enumerate(message.blocks):
            if block["type"] == "thinking":
                place = f"messages.{index}.content.{number}"
                _check_block(block, request, prefix + messages.digest(), place)
            messages.update(prompt.messages[index][number].data)


def _check_block(block: dict[str, Any], request: Request, prefix: bytes, place: str) -> None:
    try:
        signature = base64.b64decode(block["signature"], validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    bound = signature[: 4 * _SIZE]
    if len(bound) != 4 * _SIZE or signature[4 * _SIZE :] != _seal(bound, block["thinking"]):
        reject(place, "Invalid `signature` in `thinking` block")
    if not request.traits.binds_thinking:
        return
    model, parts = bound[:_SIZE], bound[_SIZE:]
    changed = [
        name
        for index, name in enumerate(("`tools`", "`system` prompt", "messages before it"))
        if parts[index * _SIZE : (index + 1) * _SIZE] != prefix[index * _SIZE : (index + 1) * _SIZE]
    ]
    # The API drops another model's block silently. Here it is refused, so that nobody relies on it.
    if model not in (_digest(request.model.encode()), _digest(_PORTABLE.encode())):
        changed.insert(0, "model")
    if changed:
        reject(
            place,
            "Invalid `signature` in `thinking` block. The block is bound to a different "
            f"conversation. Changed since it was created: {', '.join(changed)}.",
        )


def _prefix(prompt: Prompt) -> bytes:
    tools = _digest(*(piece.data for piece in prompt.tools))
    return tools + _digest(*(piece.data for piece in prompt.system))


def _digest(*parts: bytes) -> bytes:
    total = blake2b(digest_size=_SIZE)
    for part in parts:
        total.update(part)
    return total.digest()


def _seal(bound: bytes, thinking: str) -> bytes:
    return blake2b(bound + thinking.encode(), key=_KEY, digest_size=_SIZE).digest()
