from __future__ import annotations

import socket
from contextlib import closing

import pytest

from interlock.service.listening import CannotListen, check_host, is_loopback, listen, url_of


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"])
def test_loopback_addresses_need_no_key(host: str) -> None:
    assert is_loopback(host)
    check_host(host, has_keys=False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.x"]
)
def test_other_hosts_are_refused_without_a_key(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(CannotListen, match=r"auth\.keys in interlock\.yaml"):
        check_host(host, has_keys=False)


def test_other_hosts_are_fine_with_a_key() -> None:
    check_host("0.0.0.0", has_keys=True)


def test_port_zero_takes_a_free_port() -> None:
    with closing(listen("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert url_of(listener) == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_named() -> None:
    with closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"127\.0\.0\.1, port {port}: .*in use"):
            listen("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(CannotListen, match=r"server\.host"):
        listen("host.invalid", 0)


def test_an_ipv6_url_has_brackets() -> None:
    with closing(socket.socket(socket.AF_INET6)) as listener:
        listener.bind(("::1", 0))
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
