from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator


@pytest.fixture
async def document(client: httpx2.AsyncClient) -> dict[str, Any]:
    return (await client.get("/openapi.json")).json()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert sorted((method, path) for method, path, _ in operations(document)) == [
        ("delete", "/v1/switches/agents/{name}"),
        ("delete", "/v1/switches/tools/{name}"),
        ("get", "/v1/agents"),
        ("get", "/v1/approvals"),
        ("get", "/v1/approvals/{id}"),
        ("get", "/v1/breakers"),
        ("get", "/v1/config"),
        ("get", "/v1/config/diff"),
        ("get", "/v1/config/history"),
        ("get", "/v1/config/snapshot"),
        ("get", "/v1/config/snapshots/{digest}"),
        ("get", "/v1/conversations"),
        ("get", "/v1/conversations/{id}"),
        ("get", "/v1/escalations"),
        ("get", "/v1/escalations/inbox"),
        ("get", "/v1/escalations/{id}"),
        ("get", "/v1/health"),
        ("get", "/v1/health/live"),
        ("get", "/v1/health/ready"),
        ("get", "/v1/switches"),
        ("get", "/v1/turns/{id}"),
        ("get", "/v1/turns/{id}/trace"),
        ("post", "/v1/approvals/{id}/answer"),
        ("post", "/v1/approvals/{id}/approve"),
        ("post", "/v1/approvals/{id}/deny"),
        ("post", "/v1/approvals/{id}/edit"),
        ("post", "/v1/breakers/{name}/{operation}"),
        ("post", "/v1/config/canary/{verdict}"),
        ("post", "/v1/config/reload"),
        ("post", "/v1/config/rollback"),
        ("post", "/v1/conversations"),
        ("post", "/v1/conversations/{id}/messages"),
        ("post", "/v1/escalations/{id}/claim"),
        ("post", "/v1/escalations/{id}/close"),
        ("post", "/v1/escalations/{id}/hand-back"),
        ("post", "/v1/escalations/{id}/reply"),
        ("post", "/v1/turns/{id}/feedback"),
        ("put", "/v1/switches/agents/{name}"),
        ("put", "/v1/switches/tools/{name}"),
    ]
    assert all(operation["description"] for _, _, operation in operations(document))


def test_nothing_is_referred_to_that_is_not_there(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_only_the_probes_need_no_key(document: dict[str, Any]) -> None:
    assert document["security"] == [{"apiKey": []}]
    open_paths = [path for _, path, each in operations(document) if each.get("security") == []]
    assert open_paths == ["/v1/health/live", "/v1/health/ready"]


def test_a_message_is_answered_as_json_or_as_events(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/conversations/{id}/messages"]["post"]
    content = operation["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert "text/event-stream" in content
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewMessage"}


def test_keys_are_camel_case_and_schemas_are_valid(document: dict[str, Any]) -> None:
    for title, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert title == "JsonValue" or schema["description"]
        for name in schema.get("properties", {}):
            assert "_" not in name
