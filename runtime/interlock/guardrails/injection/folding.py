"""One way to write the many ways in which a text can look the same."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["fold", "unescape"]

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Characters that show nothing: joiners, marks of direction, variation selectors, tags."""

_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Accents and points that are put over letters; the vowel signs of Indian scripts stay."""

_SIMPLER = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "\u0131": "i",
        "\u0142": "l",
        "\u00f8": "o",
        "\u0111": "d",
        "\u00e6": "ae",
        "\u0153": "oe",
    }
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt\"/]))")
_WHITE = {"n": "\n", "r": "\n", "t": " ", '"': '"', "/": "/"}


def fold(text: str) -> str:
    """The text in lower case, without accents and what is invisible, in plain letters.

    Letters of other scripts that merely look Latin are left: a Russian word is to stay one.
    """
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", text).casefold()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    # Once more: compatibility letters come in upper case, too.
    return unicodedata.normalize("NFC", text).casefold().translate(_SIMPLER)


def unescape(text: str) -> str:
    """The text with HTML entities and the escapes of JSON replaced by what they stand for."""
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPE.sub(_character, text)
    return text


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _WHITE[match[3]]
