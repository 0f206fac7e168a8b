"""Switching faults on and off."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Request

from examples.shop.faults import Endpoint, Fault, FaultReport, Faults
from examples.shop.problems import not_found

router = APIRouter(tags=["faults"])


async def _read_faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


async def _read_endpoint(endpoint: str) -> Endpoint:
    known: tuple[Endpoint, ...] = get_args(Endpoint)
    for name in known:
        if name == endpoint:
            return name
    raise not_found("endpoint", f"'{endpoint}'; there are {', '.join(known)}")


FaultsOf = Annotated[Faults, Depends(_read_faults)]
EndpointOf = Annotated[Endpoint, Depends(_read_endpoint)]


@router.get("/faults", operation_id="list_faults")
async def get_faults(faults: FaultsOf) -> Mapping[Endpoint, FaultReport]:
    """Return the faults that are on, and how many requests each has struck."""
    return faults.report()


@router.put("/faults/{endpoint}", operation_id="arm_fault")
async def put_fault(endpoint: EndpointOf, fault: Fault, faults: FaultsOf) -> Fault:
    """Switch a fault on, in place of the endpoint's present one."""
    faults.arm(endpoint, fault)
    return fault


@router.delete("/faults/{endpoint}", status_code=HTTPStatus.NO_CONTENT, operation_id="disarm_fault")
async def delete_fault(endpoint: EndpointOf, faults: FaultsOf) -> None:
    """Switch one endpoint's fault off."""
    faults.disarm(endpoint)


@router.delete("/faults", status_code=HTTPStatus.NO_CONTENT, operation_id="disarm_faults")
async def delete_faults(faults: FaultsOf) -> None:
    """Switch every fault off."""
    faults.disarm_all()
