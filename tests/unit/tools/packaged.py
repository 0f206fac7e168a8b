"""A module that stands for an installed package."""

from __future__ import annotations


async def run(order_id: str) -> str:
    return order_id
