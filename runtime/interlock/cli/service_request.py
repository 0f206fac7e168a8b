"""One request to a running service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from interlock.cli.remote_chat import KEY_VARIABLE, ServiceFailed
from interlock.model.base import JsonObject

__all__ = ["ServiceRefused", "request"]

# A reload loads plugins, which may take their time; the service gives up after a minute.
_TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=10)


class ServiceRefused(ServiceFailed):
    """The service says no. `problem` is the problem document that says why."""

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        self.problem = problem
        hint = f" (give --key, or set {KEY_VARIABLE})" if status == 401 else ""
        super().__init__(f"the service says {problem['code']}: {problem['detail']}{hint}")


async def request(
    url: str,
    path: str,
    *,
    key: str | None,
    method: str = "GET",
    body: JsonObject | None = None,
    params: Mapping[str, str] | None = None,
    if_match: str | None = None,
) -> Any:
    """The document that answers; None if there is none to be had.

    Args:
        url: where the service is.
        path: of the API, such as `/v1/config`.
        key: the API key, if the service asks for one.
        method: the HTTP method.
        body: sent as JSON.
        params: of the query.
        if_match: the digest that must be the active one.

    Raises:
        ServiceRefused: the answer is a problem document.
        ServiceFailed: the service cannot be reached, or is none of ours.
    """
    headers = {"authorization": f"Bearer {key}"} if key else {}
    if if_match is not None:
        headers["if-match"] = f'"{if_match}"'
    address = f"{url.rstrip('/')}{path}"
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as http,
            http.request(method, address, json=body, params=params) as reply,
        ):
            if reply.status == 204:
                return None
            answer = json.loads(await reply.text())
            if not reply.ok:
                raise ServiceRefused(answer, reply.status)
            return answer
    except (ValueError, TypeError, KeyError) as error:
        # Whatever it is that answered, it was neither our JSON nor our problem document.
        raise ServiceFailed(f"no Interlock service answers at {url}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise ServiceFailed(
            f"no answer from {url}: {reason}; is the service running there? --url names another"
        ) from error
