"""Faults that can be switched on: which requests they strike, and how often."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Endpoint = Literal[
    "orders",
    "shipments",
    "returns",
    "refunds",
    "customers",
    "products",
    "crm",
    "invoices",
    "policies",
]

_PATHS: tuple[tuple[re.Pattern[str], Endpoint], ...] = (
    (re.compile(r"/orders/[^/]+/shipment"), "shipments"),
    (re.compile(r"/orders/[^/]+/invoice"), "invoices"),
    (re.compile(r"/orders(/.*)?"), "orders"),
    (re.compile(r"/returns(/.*)?"), "returns"),
    (re.compile(r"/refunds(/.*)?"), "refunds"),
    (re.compile(r"/customers(/.*)?"), "customers"),
    (re.compile(r"/products(/.*)?"), "products"),
    (re.compile(r"/crm(/.*)?"), "crm"),
    (re.compile(r"/policies(/.*)?"), "policies"),
)


class Fault(BaseModel):
    """What goes wrong, for which share of the requests, and for how many of them.

    `after_effect` lets the request do its work first and then spoils the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["503", "slow", "hang", "reset", "garbage", "flood"]
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    delay_seconds: Annotated[float, Field(ge=0, le=600)] = 2.0
    times: Annotated[int, Field(ge=1)] | None = None
    after_effect: bool = False


class FaultReport(Fault):
    """A fault and how many requests it has struck."""

    struck: int


@dataclass(slots=True)
class _Armed:
    fault: Fault
    struck: int = 0


class Faults:
    """The faults that are switched on, at most one for each endpoint; in memory only."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._armed: dict[Endpoint, _Armed] = {}

    def arm(self, endpoint: Endpoint, fault: Fault) -> None:
        """Switch `fault` on, in place of the endpoint's present one."""
        self._armed[endpoint] = _Armed(fault)

    def disarm(self, endpoint: Endpoint) -> None:
        """Switch the endpoint's fault off, if it has one."""
        self._armed.pop(endpoint, None)

    def disarm_all(self) -> None:
        """Switch every fault off."""
        self._armed.clear()

    def strike(self, path: str) -> Fault | None:
        """Return the fault that hits a request for `path`, counted as struck, or None."""
        endpoint = find_endpoint(path)
        armed = None if endpoint is None else self._armed.get(endpoint)
        if armed is None:
            return None
        if armed.fault.times is not None and armed.struck >= armed.fault.times:
            return None
        if self._chance() >= armed.fault.rate:
            return None
        armed.struck += 1
        return armed.fault

    def report(self) -> Mapping[Endpoint, FaultReport]:
        """Return each fault that is on, with the number of requests it struck."""
        return {
            endpoint: FaultReport(**armed.fault.model_dump(), struck=armed.struck)
            for endpoint, armed in self._armed.items()
        }


def find_endpoint(path: str) -> Endpoint | None:
    """Return the name of the endpoint that serves `path`, or None if it has no faults."""
    return next((name for pattern, name in _PATHS if pattern.fullmatch(path)), None)
