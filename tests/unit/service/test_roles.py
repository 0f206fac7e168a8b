"""The table of roles: it knows every route, and what it does not know is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.routing import Route

from interlock.service.app import create_app
from interlock.service.keys import new_key
from interlock.service.metrics import Metrics
from interlock.service.roles import ROLES, allows, find_rule, needed_role
from tests.unit.service.fakes import client_of, make_runtime

KEY, DIGEST = new_key()


def routes() -> Iterator[tuple[str, str]]:
    fake = make_runtime()
    app = create_app(fake, supervisor=fake.supervisor, metrics=Metrics(fake.supervisor))
    for route in app.routes:
        assert isinstance(route, Route), f"{route} is of a kind that this test does not know"
        for method in route.methods or ():
            yield method, route.path


@pytest.mark.parametrize(("method", "path"), sorted(routes()))
def test_every_route_is_in_the_table(method: str, path: str) -> None:
    assert find_rule(method, path) is not None, "add it to service/roles.py"


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/v1/health/live", "anyone"),
        ("HEAD", "/v1/health/live", "anyone"),
        ("POST", "/v1/health/live", "admin"),
        ("POST", "/v1/conversations", "chat"),
        ("GET", "/v1/conversations/conv_1", "chat"),
        ("DELETE", "/v1/conversations/conv_1", "admin"),
        ("POST", "/v1/turns/turn_1/feedback", "chat"),
        ("GET", "/v1/turns/turn_1/trace", "operator"),
        ("GET", "/v1/config", "operator"),
        ("GET", "/v1/config/history", "operator"),
        ("POST", "/v1/config/reload", "admin"),
        ("POST", "/v1/config/canary/promote", "admin"),
        ("PUT", "/v1/switches/tools/x", "operator"),
        ("POST", "/v1/approvals/appr_1/approve", "operator"),
        ("POST", "/v1/escalations/esc_1/claim", "operator"),
        ("POST", "/v1/breakers/b/reset", "operator"),
        ("GET", "/metrics", "operator"),
        ("GET", "/metrics/", "admin"),
        ("GET", "/v1/agentsx", "admin"),
        ("GET", "/v1/conversations/", "operator"),
        ("GET", "//v1/agents", "admin"),
        ("GET", "/v1/keys", "admin"),
        ("GET", "/v1/what/ever", "admin"),
        ("GET", "", "admin"),
    ],
)
def test_a_request_needs_a_role(method: str, path: str, who: str) -> None:
    assert needed_role(method, path) == who


def test_a_role_may_do_what_lesser_ones_may() -> None:
    allowed = {role: [who for who in ("anyone", *ROLES) if allows(role, who)] for role in ROLES}
    assert allowed == {
        "chat": ["anyone", "chat"],
        "operator": ["anyone", "chat", "operator"],
        "admin": ["anyone", "chat", "operator", "admin"],
    }


async def test_a_role_that_does_not_suffice_is_told_which_would() -> None:
    runtime = make_runtime(keys=[DIGEST], role="operator")
    headers = {"authorization": f"Bearer {KEY}"}
    async with client_of(runtime) as client:
        answer = await client.post("/v1/config/reload", json={}, headers=headers)
        assert (await client.get("/v1/config", headers=headers)).status_code == 200
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["role"]) == ("forbidden", "admin")
    assert "needs the role admin" in problem["detail"]
    assert runtime.supervisor.asked == []
