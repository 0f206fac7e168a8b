"""The small project with breakers, caps and a webhook, and what operators see of it."""

from __future__ import annotations

from typing import Any

from interlock.config.source import Source
from tests.e2e.breakers.webhook import SECRET, Webhook
from tests.e2e.support.project import ACTIONS, PLANS, small_project
from tests.e2e.support.stack import Stack

RULES = (
    """
  - name: hand over
    when: {user: '^person', format: plan}
    reply: {json: {steps: [{type: escalate, instruction: Hand over., tools: [],
      priority: required, hard: false}]}}
"""
    + PLANS
    + ACTIONS
)
"""What begins with `person` ends with one; the rest is as for the small project."""


def project(settings: str, webhook: Webhook, *, breaker: str = "") -> Source:
    """`settings` go into interlock.yaml, `breaker` is that of the tool `get_order`."""
    texts = dict(small_project().files)
    alerts = f"alerts: {{webhook: {{url: '{webhook.url}', secret: {{env: X, default: {SECRET}}}}}}}"
    texts["interlock.yaml"] += f"{settings}\n{alerts}\n".encode()
    if breaker:
        tools = texts["tools.d/shop.yaml"].decode()
        declared = f"\nname: get_order\nbreaker: {breaker}\n"
        texts["tools.d/shop.yaml"] = tools.replace("\nname: get_order\n", declared, 1).encode()
    return Source(texts)


async def breaker(stack: Stack, name: str) -> Any:
    """One breaker as the API shows it."""
    found = (await stack.service.get("/v1/breakers"))["breakers"]
    return next(each for each in found if each["name"] == name)


async def try_to_send(stack: Stack, conversation: str, text: str) -> tuple[int, Any, str | None]:
    """Status, document and Retry-After of a message."""
    path = f"/v1/conversations/{conversation}/messages"
    async with stack.service.client.post(path, json={"text": text}) as answer:
        return (
            answer.status,
            await answer.json(content_type=None),
            answer.headers.get("retry-after"),
        )


async def metrics(stack: Stack) -> dict[str, float]:
    """Every series with its value."""
    async with stack.service.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    series = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in series}
