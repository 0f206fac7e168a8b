from __future__ import annotations

from interlock.reload.clients import Clients
from interlock.reload.generation import build
from tests.unit.reload.sources import make_source


async def test_an_unchanged_provider_keeps_its_client() -> None:
    clients = Clients()
    one = build(make_source(), {}, clients=clients)
    two = build(make_source(text="Another text."), {}, clients=clients)
    assert one.services.providers["anthropic"] is two.services.providers["anthropic"]
    await one.close()
    # Still held: closing it would break the turns of the second one.
    assert len(clients) == 2
    await two.close()
    assert len(clients) == 0


async def test_a_changed_provider_gets_a_client_of_its_own() -> None:
    clients = Clients()
    source = make_source()
    one = build(source, {"KEY": "first"}, clients=clients)
    two = build(source, {"KEY": "second"}, clients=clients)
    assert one.services.providers["anthropic"] is not two.services.providers["anthropic"]
    await one.close()
    await two.close()
    assert len(clients) == 0


async def test_retries_are_a_matter_of_the_generation_and_need_no_other_client() -> None:
    clients = Clients()
    one = build(make_source(), {}, clients=clients)
    settings = make_source().files["interlock.yaml"].decode()
    changed = settings.replace("baseUrl:", "retry: {attempts: 7}, baseUrl:")
    two = build(make_source(files={"interlock.yaml": changed}), {}, clients=clients)
    assert two.snapshot.settings.providers["anthropic"].retry.attempts == 7
    assert one.services.providers["anthropic"] is two.services.providers["anthropic"]
    await one.close()
    await two.close()


async def test_what_has_not_changed_is_not_compiled_again() -> None:
    one = build(make_source("a", "b"), {})
    two = build(make_source("a", "b", files={"agents.d/c.yaml": _agent("c")}), {})
    for name in ("a", "b"):
        assert two.agents[name].system is one.agents[name].system
        assert two.agents[name].spec is one.agents[name].spec
        # The snapshot that the trace names is the new one all the same.
        assert two.agents[name].snapshot == two.snapshot.digest != one.snapshot.digest
    await one.close()
    await two.close()


def _agent(name: str) -> str:
    return make_source(name).files[f"agents.d/{name}.yaml"].decode()
