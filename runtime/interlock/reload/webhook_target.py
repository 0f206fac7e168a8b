"""Where a generation sends its notices, with the secret that signs them."""

from __future__ import annotations

from collections.abc import Mapping

from interlock.model.webhook import Webhook
from interlock.reload.generation import Generation, resolve
from interlock.webhooks.sender import Target

__all__ = ["webhook_target"]


def webhook_target(
    declared: Webhook | None, generation: Generation, environment: Mapping[str, str]
) -> Target | None:
    """The target that `generation` declares, with its references resolved; None without one."""
    if declared is None:
        return None
    return Target(
        url=resolve(declared.url, environment),
        secret=generation.secrets.resolve(declared.secret, environment),
        timeout_seconds=declared.timeout.total_seconds(),
        attempts=declared.attempts,
    )
