"""Where the service listens: which hosts are safe without keys, and binding the socket."""

from __future__ import annotations

import ipaddress
import socket

from interlock.errors import InterlockError

__all__ = ["CannotListen", "check_host", "is_loopback", "listen", "url_of"]


class CannotListen(InterlockError):
    """The service cannot, or must not, listen where it was told to."""

    code = "cannot_listen"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. A name other than localhost may lead anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_host(host: str, *, has_keys: bool) -> None:
    """Raises `CannotListen` if others could reach a service that asks for no key."""
    if has_keys or is_loopback(host):
        return
    raise CannotListen(
        f"without keys the service does not listen on '{host}', where anyone could use it: "
        "make one with `interlock keys create NAME`, or add one under auth.keys in interlock.yaml "
        "(interlock key makes it), or listen on 127.0.0.1"
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Blocks on name look-ups.

    Raises `CannotListen` when the address is not this machine's, or is taken.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
        # Its connections inherit this, which asyncio sets only for sockets made otherwise:
        # without it, an answer in two writes waits 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; "
            "server.host and server.port in interlock.yaml, or --host and --port, choose another"
        ) from error


def url_of(listener: socket.socket) -> str:
    """The URL that a listening socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
