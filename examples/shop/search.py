"""What it means that a text is found."""

from collections.abc import Sequence


def contains_words(query: str, fields: Sequence[str]) -> bool:
    """Return whether each word of `query` occurs in some field, ignoring case."""
    text = "\n".join(fields).casefold()
    return all(word in text for word in query.casefold().split())
