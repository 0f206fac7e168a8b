import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from examples.shop.fault_middleware import FLOOD_BYTES
from examples.shop.faults import Fault, Faults, find_endpoint
from tests.unit.shop.client import Shop, run_shop

REFUND = {"order_id": "ORD-1002", "amount": 5, "reason": "x"}

PATHS = {
    "orders": "/orders/ORD-1001",
    "shipments": "/orders/ORD-1001/shipment",
    "invoices": "/orders/ORD-1001/invoice",
    "returns": "/returns/RET-5001",
    "refunds": "/refunds/REF-7001",
    "customers": "/customers/CUST-1001",
    "products": "/products?query=mug",
    "policies": "/policies/returns",
}


@pytest.mark.parametrize("endpoint", PATHS)
async def test_fault_strikes_its_endpoint_and_no_other(shop: Shop, endpoint: str) -> None:
    await shop.arm(endpoint, kind="503")
    statuses = {name: (await shop.get(path)).status for name, path in PATHS.items()}
    assert statuses == {name: 503 if name == endpoint else 200 for name in PATHS}
    assert (await shop.get("/healthz")).status == 200


async def test_crm_has_its_own_fault(shop: Shop) -> None:
    await shop.arm("crm", kind="503")
    note = {"customer_id": "CUST-1001", "note": "x"}
    assert (await shop.send("POST", "/crm/notes", note)).status == 503
    assert await shop.count("notes") == 0


async def test_unavailable_is_a_problem_document_without_effect(shop: Shop) -> None:
    await shop.arm("refunds", kind="503")
    reply = await shop.send("POST", "/refunds", REFUND)
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["status"] == 503
    assert await shop.count("refunds") == 0


async def test_garbage_is_a_success_that_cannot_be_parsed(shop: Shop) -> None:
    await shop.arm("orders", kind="garbage")
    async with shop.session.get(shop.url + "/orders/ORD-1001") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        with pytest.raises(json.JSONDecodeError):
            json.loads(await response.read())


async def test_flood_is_two_megabytes_of_valid_json(shop: Shop) -> None:
    await shop.arm("products", kind="flood")
    async with shop.session.get(shop.url + "/products?query=mug") as response:
        assert response.status == 200
        content = await response.read()
    assert FLOOD_BYTES <= len(content) <= FLOOD_BYTES + 1000
    assert len(json.loads(content)["results"]) > 1000


async def test_slow_request_is_answered_in_full(shop: Shop) -> None:
    usual = await shop.get("/orders/ORD-1001")
    for after_effect in (False, True):
        await shop.arm("orders", kind="slow", delay_seconds=0.01, after_effect=after_effect)
        assert (await shop.get("/orders/ORD-1001")).body == usual.body
        assert (await shop.get("/faults")).body["orders"]["struck"] == 1


async def _open_request(
    shop: Shop, path: str, body: bytes = b""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(shop.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: shop\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize("after_effect", [False, True])
async def test_reset_cuts_the_connection_without_a_byte(shop: Shop, after_effect: bool) -> None:
    await shop.arm("refunds", kind="reset", after_effect=after_effect)
    reader, writer = await _open_request(shop, "/refunds", json.dumps(REFUND).encode())
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert await shop.count("refunds") == int(after_effect)


async def test_reset_shows_as_a_connection_error_in_a_client_library(shop: Shop) -> None:
    await shop.arm("orders", kind="reset")
    with pytest.raises(aiohttp.ClientOSError):
        await shop.get("/orders/ORD-1001")
    await shop.send("DELETE", "/faults/orders")
    assert (await shop.get("/orders/ORD-1001")).status == 200


async def test_reset_leaves_nothing_in_the_servers_log(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.arm("orders", kind="reset")
    with pytest.raises(aiohttp.ClientOSError):
        await shop.get("/orders/ORD-1001")
    assert (await shop.get("/healthz")).status == 200
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize("after_effect", [False, True])
async def test_hang_lasts_until_the_client_goes_away(shop: Shop, after_effect: bool) -> None:
    await shop.arm("refunds", kind="hang", after_effect=after_effect)
    reader, writer = await _open_request(shop, "/refunds", json.dumps(REFUND).encode())
    await shop.wait_for_strike("refunds")
    if after_effect:
        async with asyncio.timeout(10):
            while await shop.count("refunds") == 0:
                pass
    # The shop goes on answering others, and lifting the fault does not wake the request.
    await shop.send("DELETE", "/faults")
    assert (await shop.get("/refunds/REF-7001")).status == 200
    hanging = [task for task in shop.server.server_state.tasks if not task.done()]
    assert hanging
    writer.close()
    assert await reader.read() == b""
    async with asyncio.timeout(10):
        await asyncio.gather(*hanging)
    assert await shop.count("refunds") == int(after_effect)


async def test_shop_that_stops_cuts_a_hanging_request_without_a_byte(tmp_path: Path) -> None:
    async with run_shop(tmp_path / "shop.sqlite") as shop:
        await shop.arm("orders", kind="hang")
        reader, writer = await _open_request(shop, "/orders/ORD-1001")
        await shop.wait_for_strike("orders")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("kind", ["503", "garbage", "flood"])
async def test_fault_after_the_effect_hides_an_outcome_that_a_retry_reveals(
    shop: Shop, kind: str
) -> None:
    await shop.arm("refunds", kind=kind, after_effect=True, times=1)
    url = shop.url + "/refunds"
    async with shop.session.post(url, json=REFUND, headers={"Idempotency-Key": "k"}) as struck:
        assert b"REF-7002" not in await struck.read()
    assert await shop.count("refunds") == 1
    again = await shop.send("POST", "/refunds", REFUND, key="k")
    assert (again.status, again.body["id"]) == (201, "REF-7002")
    assert again.headers["idempotency-replayed"] == "true"
    assert await shop.count("refunds") == 1


async def test_fault_strikes_only_so_many_times(shop: Shop) -> None:
    await shop.arm("orders", kind="503", times=2)
    statuses = [(await shop.get("/orders/ORD-1001")).status for _ in range(4)]
    assert statuses == [503, 503, 200, 200]
    assert (await shop.get("/faults")).body["orders"]["struck"] == 2


async def test_faults_are_shown_replaced_and_switched_off(shop: Shop) -> None:
    await shop.arm("orders", kind="503")
    await shop.arm("orders", kind="slow", rate=0.5)
    await shop.arm("crm", kind="hang")
    shown = (await shop.get("/faults")).body
    assert shown == {
        "orders": {
            "kind": "slow",
            "rate": 0.5,
            "delay_seconds": 2.0,
            "times": None,
            "after_effect": False,
            "struck": 0,
        },
        "crm": shown["crm"],
    }
    assert (await shop.send("DELETE", "/faults/orders")).status == 204
    assert list((await shop.get("/faults")).body) == ["crm"]
    assert (await shop.send("DELETE", "/faults")).status == 204
    assert (await shop.get("/faults")).body == {}


@pytest.mark.parametrize(
    ("endpoint", "fault", "status"),
    [
        ("warehouse", {"kind": "503"}, 404),
        ("orders", {"kind": "fire"}, 422),
        ("orders", {"kind": "503", "rate": 1.5}, 422),
        ("orders", {"kind": "503", "times": 0}, 422),
        ("orders", {"kind": "503", "time": 1}, 422),
    ],
)
async def test_impossible_fault_is_refused(
    shared_shop: Shop, endpoint: str, fault: dict[str, object], status: int
) -> None:
    reply = await shared_shop.send("PUT", f"/faults/{endpoint}", fault)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert (await shared_shop.get("/faults")).body == {}


def test_rate_is_the_share_of_requests_that_are_struck() -> None:
    draws = iter([0.0, 0.29, 0.3, 0.99])
    faults = Faults(chance=lambda: next(draws))
    faults.arm("orders", Fault(kind="503", rate=0.3))
    struck = [faults.strike("/orders") is not None for _ in range(4)]
    assert struck == [True, True, False, False]


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.9999])
def test_rates_of_none_and_all_hold_for_every_draw(draw: float) -> None:
    faults = Faults(chance=lambda: draw)
    faults.arm("orders", Fault(kind="503", rate=0.0))
    assert faults.strike("/orders") is None
    faults.arm("orders", Fault(kind="503", rate=1.0))
    assert faults.strike("/orders") is not None


@pytest.mark.parametrize(
    "path", ["/healthz", "/stats", "/faults", "/faults/orders", "/ordersx", "/"]
)
def test_other_paths_have_no_faults(path: str) -> None:
    assert find_endpoint(path) is None
