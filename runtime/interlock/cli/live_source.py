"""The configuration that a running service has active."""

from __future__ import annotations

import base64
import binascii
from types import MappingProxyType
from typing import Any

import aiohttp

from interlock.cli.remote_chat import KEY_VARIABLE, ServiceFailed
from interlock.config.source import Source

__all__ = ["read_live"]

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)


async def read_live(url: str, key: str | None) -> Source:
    """The active files of the service at `url`. Raises `ServiceFailed`."""
    address = f"{url.rstrip('/')}/v1/config/snapshot"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as http,
            http.get(address) as reply,
        ):
            body = await _json(reply)
            if not reply.ok:
                raise ServiceFailed(_refusal(reply, body))
    except aiohttp.InvalidURL as error:
        raise ServiceFailed(f"'{url}' is not the URL of a service") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise ServiceFailed(
            f"no answer from {url}: {reason}; is the service running there? --url names another"
        ) from error
    return _source(body, address)


async def _json(reply: aiohttp.ClientResponse) -> Any:
    try:
        return await reply.json(content_type=None)
    except ValueError:
        return None


def _refusal(reply: aiohttp.ClientResponse, problem: Any) -> str:
    if not isinstance(problem, dict) or not {"code", "detail"} <= problem.keys():
        return f"{reply.url} answered with status {reply.status}; is it an Interlock service?"
    hint = f" (give --key, or set {KEY_VARIABLE})" if reply.status in (401, 403) else ""
    return f"the service says {problem['code']}: {problem['detail']}{hint}"


def _source(body: Any, address: str) -> Source:
    try:
        files = {
            str(path): base64.b64decode(data, validate=True) for path, data in body["files"].items()
        }
        digest = body["digest"]
    except (AttributeError, KeyError, TypeError, binascii.Error) as error:
        raise ServiceFailed(f"{address} did not answer with a configuration") from error
    source = Source(MappingProxyType(files))
    if source.digest != digest:
        raise ServiceFailed(f"the files from {address} do not have the digest that it named")
    return source
