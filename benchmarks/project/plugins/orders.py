"""Tools that answer at once with one kilobyte of JSON, so that only the loop is measured."""

from __future__ import annotations

from typing import Any

_NOTES = "x" * 900


async def get_order_status(order_id: str) -> dict[str, Any]:
    """The status of an order."""
    items = [{"sku": "KB-1", "count": 1}]
    return {"id": order_id, "status": "shipped", "total": "129.90", "items": items, "notes": _NOTES}


async def get_shipping_status(order_id: str) -> dict[str, Any]:
    """Where the parcel of an order is."""
    return {"id": order_id, "carrier": "DHL", "stage": "in transit", "eta_days": 2, "notes": _NOTES}
