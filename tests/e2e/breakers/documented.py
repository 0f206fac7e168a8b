"""The verification of signatures exactly as the documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).parents[3] / "docs" / "breakers.md"


def is_genuine(secret: str, *, timestamp: str, signature: str, body: bytes) -> bool:
    """What the snippet in docs/breakers.md says."""
    (snippet,) = re.findall(r"^```python[^\n]*\n(.*?)^```$", _PAGE.read_text(), re.M | re.S)
    names: dict[str, Any] = {}
    exec(snippet, names)  # the documentation's own code is what is tested
    return bool(names["is_genuine"](secret, timestamp, signature, body))
