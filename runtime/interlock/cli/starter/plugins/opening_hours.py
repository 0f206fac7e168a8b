"""The tool `get_opening_hours`: put your own look-up here."""

from __future__ import annotations

_HOURS = {
    "tuesday": ("10:00", "18:00"),
    "wednesday": ("10:00", "18:00"),
    "thursday": ("10:00", "20:00"),
    "friday": ("10:00", "18:00"),
    "saturday": ("10:00", "16:00"),
}


async def get_opening_hours(weekday: str) -> dict[str, object]:
    """What the model reads about one day. The argument is the tool's checked input."""
    hours = _HOURS.get(weekday)
    if hours is None:
        return {"weekday": weekday, "open": False}
    opens, closes = hours
    return {"weekday": weekday, "open": True, "opens": opens, "closes": closes}
