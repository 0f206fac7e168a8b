"""One tool, as declared by a document in `tools.d/`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from interlock.model.base import Document, Duration, JsonObject, Name
from interlock.model.breakers import ToolBreaker

__all__ = [
    "Approval",
    "Category",
    "HttpCall",
    "Idempotency",
    "Loop",
    "PythonCall",
    "ResultShape",
    "Retry",
    "Tool",
]

InputName = Annotated[str, Field(examples=["order_id"])]
InputTemplate = Annotated[str, Field(examples=["{{ input.order_id }}"])]
SessionTemplate = Annotated[str, Field(examples=["{{ session.customerId }}"])]

Category = Literal["lookup", "search", "mutation", "escalation"]
"""What a tool does: reads one thing, finds things, changes something, calls a person."""


class Retry(Document):
    """Retries of a reading call; a mutation is never repeated blindly."""

    attempts: Annotated[int, Field(ge=1, le=5)] = 2
    """Calls in all, the first one included."""
    delay: Duration = timedelta(milliseconds=200)
    """The wait before the second call; it doubles each time."""


class HttpCall(Document):
    """A tool carried out by an HTTP request. Texts are templates over `input` and `env`."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """The HTTP method."""
    url: str = Field(min_length=1, examples=["{{ env.SHOP_URL }}/orders/{{ input.order_id }}"])
    """Values of `input` are percent-encoded; the host can only come from the text or `env`."""
    query: dict[str, InputTemplate] = {}
    """Query parameters; one that renders to nothing is left out."""
    headers: dict[str, InputTemplate] = {}
    """Further headers of the request."""
    body: dict[str, InputTemplate] | None = None
    """The JSON body; left out, a POST, PUT or PATCH sends the whole input."""
    not_found: tuple[Annotated[int, Field(ge=400, le=499)], ...] = (404,)
    """The statuses that mean: there is no such thing."""
    retry: Retry = Retry()
    """How often a reading call that failed for a passing reason is made."""
    max_bytes: Annotated[int, Field(ge=1)] = 1_048_576
    """A larger answer is an error, however long it is."""


class PythonCall(Document):
    """A tool carried out by a Python function, called with the input as keyword arguments."""

    function: str = Field(
        pattern=r"^[\w./-]+:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        examples=["plugins/shop.py:get_order"],
    )
    """`plugins/FILE.py:FUNCTION` of the project, or `package.module:FUNCTION`.

    A method of an object that the module holds is `OBJECT.METHOD`.
    """
    refusals: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", examples=["ValueError"])], ...
    ] = ()
    """Exceptions, by name, that refuse a call before it has changed anything.

    After any other, nobody knows what a mutation has done, and a person is asked.
    """


class ResultShape(Document):
    """What of a result the model sees."""

    select: str | None = Field(default=None, examples=["{id: id, status: status}"])
    """A JMESPath expression that keeps the fields the next step needs."""
    max_tokens: Annotated[int, Field(ge=50, le=20_000)] = 1000
    """A larger result is cut, and the model is told what is missing."""


class Idempotency(Document):
    """How a mutation is kept from happening twice."""

    header: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9-]+$", examples=["Idempotency-Key"]
    )
    """The HTTP header that carries the key."""
    key: tuple[InputName, ...] = ()
    """The inputs that say which action it is; all of them when empty."""


class Approval(Document):
    """When a mutation waits for a person's yes, and for how long."""

    when: str = Field(default="{{ true }}", examples=["{{ input.amount > 100 }}"])
    """A template over `input` and `session`; the call waits if it is true, or cannot be told."""
    why: str | None = Field(default=None, examples=["Refunds over $100 need a team lead."])
    """What the person who decides should know about such calls."""
    wait: Duration | None = Field(default=None, examples=["20s"])
    """How long the turn itself waits for a decision before it ends; not at all if left out."""
    expires: Duration = timedelta(hours=24)
    """After this time without a decision the call is denied."""


class Loop(Document):
    """What counts as going round in circles with this tool, where it differs from the agent."""

    key: tuple[InputName, ...] = ()
    """The inputs that say what is asked for; all of them when empty."""
    max_identical: Annotated[int, Field(ge=2)] | None = Field(default=None, examples=[3])
    """The same call with the same result."""
    max_same_result: Annotated[int, Field(ge=2)] | None = Field(default=None, examples=[6])
    """Different inputs that all give the same result."""
    max_polls: Annotated[int, Field(ge=2)] | None = Field(default=None, examples=[12])
    """The same call, whatever its result."""


class Tool(Document):
    """A tool: what the model sees of it, and how it is carried out."""

    name: Name = Field(examples=["get_order_status"])
    """What the model and the agents' `tools` call it."""
    category: Category
    """What the tool does: reads one thing, finds things, changes something, calls a person."""
    description: str = Field(min_length=1, examples=["Returns the status of one order."])
    """What the tool does, in a sentence or two."""
    when_to_use: str = Field(
        min_length=1, examples=["The customer asks for an order whose number is known."]
    )
    """When the model should call it; the model reads this."""
    when_not_to_use: str | None = Field(default=None, examples=["Do not use it to change orders."])
    """When it should not; the model reads this. It prevents most wrong choices."""
    input: JsonObject = {"type": "object", "properties": {}}
    """The JSON Schema (2020-12) of the input; every call is checked against it."""
    bind: dict[str, SessionTemplate] = {}
    """Inputs that the runtime adds from `session`; the model neither sees nor sets them."""
    http: HttpCall | None = None
    """Carries the tool out by an HTTP request."""
    python: PythonCall | None = None
    """Carries the tool out by a Python function."""
    timeout: Duration | None = None
    """How long one call may take; the agent's `limits.toolTimeout` when left out."""
    result: ResultShape = ResultShape()
    """What of a result the model sees."""
    idempotency: Idempotency | None = None
    """How a mutation is kept from happening twice; without it, two equal calls are two actions."""
    approval: Approval | None = None
    """When a mutation waits for a person's yes; never if left out."""
    loop: Loop = Loop()
    """What counts as going round in circles with this tool."""
    breaker: ToolBreaker = ToolBreaker()
    """When calls are not made any more because most of them fail."""

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        kinds = [name for name in ("http", "python") if getattr(self, name) is not None]
        if self.category == "escalation":
            if kinds:
                raise PydanticCustomError(
                    "tool_kind",
                    "an escalation tool has no '{kind}': the runtime carries it out",
                    {"kind": kinds[0]},
                )
        elif len(kinds) != 1:
            raise PydanticCustomError(
                "tool_kind", "a tool says how it is carried out: by 'http' or by 'python'"
            )
        if self.idempotency is not None and self.category != "mutation":
            raise PydanticCustomError(
                "tool_kind", "only a tool of category 'mutation' has 'idempotency'"
            )
        if self.approval is not None and self.category != "mutation":
            raise PydanticCustomError(
                "tool_kind", "only a tool of category 'mutation' has 'approval'"
            )
        return self

    @property
    def is_mutation(self) -> bool:
        """Whether a call may change something."""
        return self.category == "mutation"
