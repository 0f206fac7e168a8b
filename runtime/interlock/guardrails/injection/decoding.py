"""Texts that are hidden inside a text: encoded, invisible, or back to front."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

__all__ = ["hidden_texts", "invisible_text", "turned_texts"]

_LEAST = 8
"""The shortest hidden text that counts, in characters."""

_MOST_FOUND = 6
_MOST_CHARACTERS = 8192

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_BASE32 = re.compile(r"[A-Z2-7]{16,}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){8,}")
_HEX_SIGN = re.compile(r"0x|\\x|[ ,:]")
_BINARY = re.compile(r"(?:[01]{8} ?){8,}")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{8,}")


def hidden_texts(text: str) -> Iterator[str]:
    """What is encoded in the text as base64, base32, hexadecimal, binary or percent signs."""
    for match in _matches(_BASE64, text):
        yield from _decoded(_from_base64, match)
    for match in _matches(_BASE32, text):
        yield from _decoded(_from_base32, match)
    for match in _matches(_HEX, text):
        yield from _decoded(bytes.fromhex, _HEX_SIGN.sub("", match))
    for match in _matches(_BINARY, text):
        yield from _decoded(_from_binary, match.replace(" ", ""))
    if "%" in text and len(_PERCENT.findall(text[:_MOST_CHARACTERS])) >= 3:
        yield unquote(text[:_MOST_CHARACTERS])


def invisible_text(text: str) -> str:
    """What is written in signs that are not shown: tags, and variation selectors as bytes."""
    if text.isascii():
        return ""
    tags = "".join(_TAGS.findall(_FLAG.sub("", text)))[:_MOST_CHARACTERS]
    found = [tags.translate({code: code - 0xE0000 for code in range(0xE0020, 0xE007F)})]
    for run in _matches(_SELECTORS, text):
        found.append(bytes(map(_selected, run)).decode("utf-8", "ignore"))
    return "\n".join(part for part in found if len(part) >= _LEAST)


def turned_texts(
    text: str, words: frozenset[str], keys: tuple[frozenset[str], frozenset[str]]
) -> Iterator[str]:
    """The text in ROT13 or backwards, if it has a word of `keys`: (rotated, mirrored) ones."""
    rotated, mirrored = keys
    if not words.isdisjoint(rotated):
        yield codecs.encode(text[:_MOST_CHARACTERS], "rot13")
    if not words.isdisjoint(mirrored):
        yield text[:_MOST_CHARACTERS][::-1]
        yield " ".join(word[::-1] for word in text[:_MOST_CHARACTERS].split())


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for count, match in enumerate(pattern.finditer(text), 1):
        yield match[0][:_MOST_CHARACTERS]
        if count == _MOST_FOUND:
            return


def _decoded(decode: Callable[[str], bytes], text: str) -> Iterator[str]:
    """What `decode` makes of it, if that is a text."""
    try:
        found = decode(text).decode("utf-8")
    except (ValueError, binascii.Error):
        return
    shown = sum(map(str.isprintable, found)) + found.count("\n")
    if len(found) >= _LEAST and shown >= 0.9 * len(found):
        yield found


def _from_base64(text: str) -> bytes:
    # A run of letters can be cut anywhere; what is whole can still be read.
    whole = text.replace("-", "+").replace("_", "/")
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    return base64.b64decode(whole + "=" * (-len(whole) % 4))


def _from_base32(text: str) -> bytes:
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _from_binary(text: str) -> bytes:
    return bytes(int(text[start : start + 8], 2) for start in range(0, len(text), 8))


def _selected(sign: str) -> int:
    code = ord(sign)
    return code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16
