import pytest

from tests.unit.shop.client import Shop


async def test_customer_has_address_and_notes(shared_shop: Shop) -> None:
    customer = (await shared_shop.get("/customers/CUST-1001")).body
    assert customer["name"] == "Ada Brooks"
    assert customer["email"] == "ada@example.com"
    assert customer["address"]["postal_code"] == "97201"
    assert [note["id"] for note in customer["notes"]] == ["NOTE-9001"]
    assert (await shared_shop.get("/customers/CUST-9")).status == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ADA@example", ["CUST-1001"]),
        ("okafor%20ben", ["CUST-1002"]),
        ("brooks", ["CUST-1001", "CUST-1004"]),
        ("555-0105", ["CUST-1005"]),
        ("%25", []),
        ("nobody", []),
    ],
)
async def test_customers_are_found_by_parts_of_what_is_known(
    shared_shop: Shop, query: str, found: list[str]
) -> None:
    reply = await shared_shop.get(f"/customers?query={query}")
    assert [customer["id"] for customer in reply.body["customers"]] == found


async def test_crm_note_is_kept_with_the_customer(shop: Shop) -> None:
    body = {"customer_id": "CUST-1002", "note": "Asked about the delay."}
    reply = await shop.send("POST", "/crm/notes", body)
    assert reply.status == 201
    assert (await shop.get("/customers/CUST-1002")).body["notes"] == [reply.body]
    assert await shop.count("notes") == 1
    unknown = await shop.send("POST", "/crm/notes", {"customer_id": "CUST-9", "note": "x"})
    assert unknown.status == 404
    assert await shop.count("notes") == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kettle", ["SKU-1201"]),
        ("wireless%20PAD", ["SKU-1103"]),
        ("SKU-1401", ["SKU-1401"]),
        ("coffee", ["SKU-1203", "SKU-1204"]),
        ("submarine", []),
    ],
)
async def test_products_are_found_by_words_of_name_and_description(
    shared_shop: Shop, query: str, found: list[str]
) -> None:
    reply = await shared_shop.get(f"/products?query={query}")
    assert [product["sku"] for product in reply.body["products"]] == found
    assert reply.body["count"] == len(found)


async def test_product_search_tells_how_many_the_limit_left_out(shared_shop: Shop) -> None:
    reply = await shared_shop.get("/products?query=SKU&limit=3")
    assert len(reply.body["products"]) == 3
    assert reply.body["count"] == 25


async def test_policy_is_given_by_topic_and_unknown_topics_name_the_known(
    shared_shop: Shop,
) -> None:
    policy = (await shared_shop.get("/policies/returns")).body
    assert policy["topic"] == "returns"
    assert "Delivered items may be returned" in policy["text"]
    unknown = await shared_shop.get("/policies/colours")
    assert unknown.status == 404
    assert "cancellations, refunds, returns, shipping, warranty" in unknown.body["detail"]


async def test_framework_errors_are_problem_documents_too(shared_shop: Shop) -> None:
    unknown = await shared_shop.get("/nowhere")
    wrong_method = await shared_shop.send("DELETE", "/orders/ORD-1001")
    assert (unknown.status, unknown.body["status"]) == (404, 404)
    assert (wrong_method.status, wrong_method.headers["allow"]) == (405, "GET")
    assert wrong_method.headers["content-type"] == "application/problem+json"


async def test_healthy_shop_says_so(shared_shop: Shop) -> None:
    assert (await shared_shop.get("/healthz")).body == {"status": "ok"}


async def test_api_description_names_each_tool(shared_shop: Shop) -> None:
    paths = (await shared_shop.get("/openapi.json")).body["paths"].values()
    operations = {operation["operationId"] for path in paths for operation in path.values()}
    assert operations >= {
        "get_order_status",
        "get_shipping_status",
        "get_return_status",
        "get_refund_status",
        "get_invoice",
        "get_customer",
        "get_return_policy",
        "list_orders",
        "search_customer",
        "search_products",
        "create_return",
        "issue_refund",
        "update_crm",
        "cancel_order",
        "update_shipping_address",
    }
