"""The shop's business rules, as pure functions that raise a 409 Problem."""

from collections import Counter
from collections.abc import Sequence

from examples.shop.documents import Order
from examples.shop.problems import refused


def check_changeable(order: Order) -> None:
    """Refuse to cancel or redirect an order that has left `processing`."""
    if order.status != "processing":
        raise refused(
            "order-not-processing",
            f"{order.id} is '{order.status}'; only an order that is processing can be changed.",
        )


def check_return(order: Order, skus: Sequence[str]) -> None:
    """Refuse a return of what was not delivered, cannot be returned, or was returned already."""
    if order.status != "delivered":
        raise refused(
            "order-not-delivered",
            f"{order.id} is '{order.status}'; only a delivered order can be returned.",
        )
    ordered = {item.sku: item for item in order.items}
    for sku, wanted in Counter(skus).items():
        item = ordered.get(sku)
        if item is None:
            raise refused(
                "item-not-in-order", f"{order.id} has no {sku}. It has {', '.join(ordered)}."
            )
        if not item.returnable:
            raise refused("item-not-returnable", f"{sku} ({item.name}) cannot be returned.")
        left = item.quantity - item.returned
        if wanted > left:
            raise refused(
                "item-already-returned" if item.returned else "too-many-items",
                f"{wanted} of {sku} cannot be returned: {item.quantity} ordered, "
                f"{item.returned} returned already.",
            )


def check_refund(order: Order, *, refunded: int, amount: int) -> None:
    """Refuse a refund of what was never paid or was refunded already; both in cents."""
    if order.status not in ("shipped", "delivered"):
        raise refused(
            "order-not-paid",
            f"{order.id} is '{order.status}'; only a shipped or delivered order can be refunded.",
        )
    rest = order.total - refunded
    if amount > rest:
        raise refused(
            "refund-too-large",
            f"{amount / 100:.2f} is more than the {rest / 100:.2f} of {order.id} "
            "that can still be refunded.",
        )
