"""What the service answers with: one frozen model for each kind of document."""

import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer

Money = Annotated[int, PlainSerializer(lambda cents: cents / 100, return_type=float)]
"""Cents inside the service; on the wire a number of dollars with two decimal places."""

OrderStatus = Literal[
    "processing", "shipped", "delivered", "cancelled", "split", "see parent order"
]


class Document(BaseModel):
    """What all documents share."""

    model_config = ConfigDict(frozen=True)


class Address(Document):
    """Where parcels go."""

    recipient: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str


class OrderItem(Document):
    """One line of an order; `returned` of `quantity` pieces were sent back already."""

    sku: str
    name: str
    quantity: int
    unit_price: Money
    returnable: bool
    returned: int


class Order(Document):
    """One order; `children` if it was split, `parent` if it is such a child."""

    id: str
    customer_id: str
    status: OrderStatus
    placed: datetime.date
    eta: datetime.date | None
    delivered: datetime.date | None
    items: tuple[OrderItem, ...]
    total: Money
    address: Address
    parent: str | None
    children: tuple[str, ...]
    cancellation_reason: str | None


class OrderSummary(Document):
    """One line in a list of orders."""

    id: str
    status: OrderStatus
    placed: datetime.date
    eta: datetime.date | None
    total: Money
    parent: str | None


class OrderList(Document):
    """Orders, the latest first."""

    orders: tuple[OrderSummary, ...]


class ShipmentEvent(Document):
    """Something that happened to a parcel."""

    at: AwareDatetime
    place: str
    description: str


class Shipment(Document):
    """Where an order's parcel is; for split orders only a reference to another order."""

    order_id: str
    stage: Literal["in_transit", "delayed", "delivered", "split", "see parent order"]
    tracking_number: str | None = None
    carrier: str | None = None
    shipped: datetime.date | None = None
    eta: datetime.date | None = None
    events: tuple[ShipmentEvent, ...] = ()
    parent: str | None = None
    children: tuple[str, ...] = ()


class ReturnItem(Document):
    """Pieces of one product that are sent back."""

    sku: str
    quantity: int


class Return(Document):
    """Items on their way back; `value` is what they cost."""

    id: str
    order_id: str
    status: Literal["approved", "received"]
    reason: str
    items: tuple[ReturnItem, ...]
    value: Money
    created_at: AwareDatetime


class Refund(Document):
    """Money on its way back."""

    id: str
    order_id: str
    amount: Money
    status: Literal["pending", "paid"]
    reason: str
    created_at: AwareDatetime


class InvoiceLine(Document):
    """One line of an invoice."""

    sku: str
    name: str
    quantity: int
    unit_price: Money
    amount: Money


class Invoice(Document):
    """What an order costs and what was paid back; `unpaid` until it ships."""

    number: str
    order_id: str
    customer_id: str
    issued: datetime.date
    status: Literal["unpaid", "paid", "void"]
    bill_to: Address
    lines: tuple[InvoiceLine, ...]
    total: Money
    refunded: Money


class CrmNote(Document):
    """A remark about a customer, for the shop's staff."""

    id: str
    customer_id: str
    note: str
    created_at: AwareDatetime


class Customer(Document):
    """One customer, with the staff's notes."""

    id: str
    name: str
    email: str
    phone: str
    tier: Literal["standard", "gold"]
    since: datetime.date
    address: Address
    notes: tuple[CrmNote, ...]


class CustomerSummary(Document):
    """One line in a list of customers."""

    id: str
    name: str
    email: str


class CustomerList(Document):
    """Customers, by id."""

    customers: tuple[CustomerSummary, ...]


class Product(Document):
    """Something the shop sells."""

    sku: str
    name: str
    category: str
    description: str
    price: Money
    stock: int
    returnable: bool


class ProductList(Document):
    """Products, by name; `count` is how many there are without the limit."""

    products: tuple[Product, ...]
    count: int


class Policy(Document):
    """What the shop promises on one topic."""

    topic: str
    title: str
    text: str


class Stats(Document):
    """How many effects callers have had since the file was created; the seed is not counted."""

    returns: int
    refunds: int
    notes: int
    cancellations: int
    address_changes: int


class Health(Document):
    """Answered as long as the database can be read."""

    status: Literal["ok"]
