"""What needs a controlled clock or another server than uvicorn."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from examples.shop.fault_middleware import FaultMiddleware
from examples.shop.faults import Fault, Faults

SCOPE = {"type": "http", "path": "/orders/ORD-1001"}


class Recorder:
    """Writes down what happens, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.events.append("effect")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def sleep(self, seconds: float) -> None:
        self.events.append(f"sleep {seconds}")

    async def send(self, message: Message) -> None:
        self.events.append(message["type"])

    async def receive(self) -> Message:
        return {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("after_effect", "order"),
    [(False, ["sleep 3.5", "effect"]), (True, ["effect", "sleep 3.5"])],
)
async def test_slow_waits_on_the_chosen_side_of_the_effect(
    after_effect: bool, order: list[str]
) -> None:
    recorder = Recorder()
    faults = Faults()
    faults.arm("orders", Fault(kind="slow", delay_seconds=3.5, after_effect=after_effect))
    middleware = FaultMiddleware(recorder.answer, faults, sleep=recorder.sleep)
    await middleware(SCOPE, recorder.receive, recorder.send)
    assert recorder.events == [*order, "http.response.start", "http.response.body"]


async def test_reset_under_another_server_says_what_it_needs() -> None:
    recorder = Recorder()
    faults = Faults()
    faults.arm("orders", Fault(kind="reset"))
    with pytest.raises(RuntimeError, match="needs uvicorn"):
        await FaultMiddleware(recorder.answer, faults)(SCOPE, recorder.receive, recorder.send)
    assert recorder.events == []
