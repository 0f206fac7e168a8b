"""What callers send to change something; an unknown field is an error."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Amount = Annotated[
    Decimal,
    Field(gt=0, max_digits=9, decimal_places=2),
    # 49.9 and "49.90" are the same amount, also to the digest of a request.
    AfterValidator(lambda amount: amount.quantize(Decimal("0.01"))),
]


class Body(BaseModel):
    """What all bodies share: the customer on whose behalf the request is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_id: str | None = None


class ReturnBody(Body):
    """Pieces to send back: a SKU that occurs twice means two pieces."""

    order_id: Text
    items: tuple[Text, ...] = Field(min_length=1, max_length=50)
    reason: Text


class RefundBody(Body):
    """Money to pay back, in dollars with at most two decimal places."""

    order_id: Text
    amount: Amount
    reason: Text


class CancelBody(Body):
    """Why an order is cancelled."""

    reason: Text


class AddressBody(Body):
    """A new shipping address; without a recipient the present one stays."""

    recipient: Text | None = None
    street: Text
    city: Text
    region: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    postal_code: Text
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"


class NoteBody(BaseModel):
    """A remark about a customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_id: Text
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
