from __future__ import annotations

import pytest

from interlock.reload.clients import Clients


class Client:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


async def test_the_same_key_is_the_same_client_until_the_last_one_lets_go() -> None:
    clients = Clients()
    first, second = clients.lease(), clients.lease()
    client = first.hold("a", Client)
    assert second.hold("a", Client) is client
    await first.close()
    assert client.closed == 0
    await second.close()
    assert client.closed == 1
    assert len(clients) == 0


async def test_another_key_is_another_client() -> None:
    clients = Clients()
    lease = clients.lease()
    one, other = lease.hold(("a", 1), Client), lease.hold(("a", 2), Client)
    assert one is not other
    await lease.close()
    assert (one.closed, other.closed) == (1, 1)


async def test_a_closed_client_is_not_given_again() -> None:
    clients = Clients()
    lease = clients.lease()
    before = lease.hold("a", Client)
    await lease.close()
    again = clients.lease()
    assert again.hold("a", Client) is not before
    await again.close()


async def test_what_is_given_back_is_closed_by_whoever_closes_next() -> None:
    clients = Clients()
    failed, other = clients.lease(), clients.lease()
    client = failed.hold("a", Client)
    failed.give_back()
    assert client.closed == 0
    await other.close()
    assert client.closed == 1


async def test_a_client_that_cannot_be_made_is_not_held() -> None:
    clients = Clients()
    lease = clients.lease()

    def fail() -> Client:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        lease.hold("a", fail)
    assert len(clients) == 0
    await lease.close()


async def test_a_lease_is_closed_once() -> None:
    clients = Clients()
    first, second = clients.lease(), clients.lease()
    client = first.hold("a", Client)
    second.hold("a", Client)
    await first.close()
    await first.close()
    assert client.closed == 0
    await second.close()
