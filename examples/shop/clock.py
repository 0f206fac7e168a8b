"""The time at which an effect is recorded."""

from datetime import UTC, datetime


def read_clock() -> str:
    """Return the present UTC time as ISO 8601 text with whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
