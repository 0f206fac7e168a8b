"""Model servers that fail: what is tried again, what is charged, and what the customer gets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from interlock.config.source import Source
from interlock.service.server import Server
from interlock.sim import create_app
from tests.e2e.support.project import ACTIONS, PLANS, RETRY, small_project, write_project
from tests.e2e.support.service import run_service
from tests.e2e.support.serving import serving
from tests.e2e.support.shop import effects
from tests.e2e.support.simulator import read_rules
from tests.e2e.support.stack import Stack, run_stack
from tests.e2e.support.turn import Turn

FAILED = "I am sorry, something went wrong on our side. Please try again in a moment."


@dataclass(frozen=True, slots=True)
class Failure:
    """How the server fails, and what has to be made of it."""

    answer: str
    kind: str
    charged: bool
    """Whether the call may have been billed, and is charged with what was reserved for it."""
    status: int | None = None
    stream: bool = False

    @property
    def retried(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind != "rejected"

    @property
    def times(self) -> int:
        """How often it fails: in the first turn as long as it is tried, then once more."""
        return 3 if self.retried else 1


FAILURES = {
    "400": Failure("error: {status: 400}", "rejected", charged=False, status=400),
    "401": Failure("error: {status: 401}", "rejected", charged=False, status=401),
    "403": Failure("error: {status: 403}", "rejected", charged=False, status=403),
    "404": Failure("error: {status: 404}", "rejected", charged=False, status=404),
    "413": Failure("error: {status: 413}", "rejected", charged=False, status=413),
    "429": Failure("error: {status: 429}", "rate_limit", charged=False, status=429),
    "500": Failure("error: {status: 500}", "server", charged=False, status=500),
    "502": Failure("error: {status: 502}", "server", charged=True, status=502),
    "503": Failure("error: {status: 503}", "overloaded", charged=False, status=503),
    "504": Failure("error: {status: 504}", "server", charged=True, status=504),
    "529": Failure("error: {status: 529}", "overloaded", charged=False, status=529),
    "dropped": Failure("fault: drop", "connection", charged=True),
    "cut off": Failure("fault: disconnect", "connection", charged=True),
    "too short": Failure("fault: truncate", "connection", charged=True),
    "no JSON": Failure("fault: malformed", "malformed", charged=True),
    "no message": Failure("reply: {content: [{type: text, text: 5}]}", "malformed", charged=True),
    "no answer": Failure("fault: hang", "timeout", charged=True),
    "429 streamed": Failure(
        "error: {status: 429}", "rate_limit", charged=False, status=429, stream=True
    ),
    "529 streamed": Failure(
        "error: {status: 529}", "overloaded", charged=False, status=529, stream=True
    ),
    "overloaded in mid-stream": Failure(
        "fault: streamError", "overloaded", charged=True, status=200, stream=True
    ),
    "a stream that ends early": Failure("fault: truncate", "connection", charged=True, stream=True),
    "a stream that is cut off": Failure(
        "fault: disconnect", "connection", charged=True, stream=True
    ),
    "a stream of no JSON": Failure("fault: malformed", "malformed", charged=True, stream=True),
    "a stream that is dropped": Failure("fault: drop", "connection", charged=True, stream=True),
    "a stream that never comes": Failure("fault: hang", "timeout", charged=True, stream=True),
}


def check_failures(turn: Turn, failure: Failure, count: int) -> None:
    """Fails unless just so many calls failed, in this way, and were charged as documented."""
    assert len(turn.failures) == count
    for data in turn.failures:
        assert (data["failure"], data["status"]) == (failure.kind, failure.status)
        assert data["maybeBilled"] is failure.charged
        assert data["message"].startswith("provider 'anthropic': ")
    estimated = [entry.usage.total for entry in turn.ledger if entry.estimated]
    reserved = [data["reservedTokens"] for data in turn.failures]
    assert estimated == (reserved if failure.charged else [])


def _patient(source: Source) -> Source:
    """The project with a provider whose breaker stays closed: these tests are about each call."""
    settings = source.files["interlock.yaml"] + b"breakers: {provider: {minCalls: 1000}}\n"
    return Source({**source.files, "interlock.yaml": settings})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broken(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Mapping[bool, Stack]]:
    """Services that stream or do not, and whose model server fails as the message says."""
    rules = "".join(
        f"\n  - name: '{name}'"
        f"\n    when: {{format: none, user: '^{name}:', times: {failure.times}}}"
        f"\n    {failure.answer}\n"
        for name, failure in FAILURES.items()
    )
    async with AsyncExitStack() as running:
        stacks = {}
        for stream in (False, True):
            provider = f"{RETRY}\n    timeout: 500ms\n    stream: {str(stream).lower()}"
            stacks[stream] = await running.enter_async_context(
                run_stack(
                    _patient(small_project(provider=provider)),
                    rules + PLANS + ACTIONS,
                    tmp_path_factory.mktemp("broken"),
                )
            )
        yield stacks


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_retried_charged_and_survived_as_documented(
    name: str, broken: Mapping[bool, Stack]
) -> None:
    failure = FAILURES[name]
    stack = broken[failure.stream]
    conversation = await stack.service.open()
    # It fails as often as it is tried, then once more, if it is worth trying again.
    failed = await stack.say(conversation, f"{name}: hello")
    recovered = await stack.say(conversation, f"{name}: and now?")
    shown = await stack.service.get(f"/v1/conversations/{conversation}")
    assert failed.ending == ("failed", f"model_{failure.kind}")
    assert failed.reply == FAILED
    check_failures(failed, failure, 2 if failure.retried else 1)
    tried = [data["attempt"] for data in failed.failures]
    waits = [data["retryInSeconds"] is not None for data in failed.failures]
    assert (tried, waits) == (([1, 2], [True, False]) if failure.retried else ([1], [False]))
    # Nothing of the conversation is lost.
    assert recovered.ending == ("resolved", "end_turn")
    check_failures(recovered, failure, 1 if failure.retried else 0)
    said = [f"{name}: hello", FAILED, f"{name}: and now?", f"You said: {name}: and now?"]
    assert [message["text"] for message in shown["messages"]] == said
    read = [message["content"][0]["text"] for message in recovered.prompts[-1]["messages"]]
    assert read == said[:-1]
    assert all(bool(prompt.get("stream")) is failure.stream for prompt in recovered.prompts)
    assert shown["tokens"] == failed.answer["tokens"] + recovered.answer["tokens"]


async def test_a_server_that_asks_to_wait_is_waited_for(tmp_path: Path) -> None:
    rule = """
  - {name: busy, when: {format: none, times: 1}, error: {status: 429, retryAfter: 0.3}}
"""
    async with run_stack(small_project(), rule + PLANS + ACTIONS, tmp_path) as stack:
        turn = await stack.ask("hello")
    (busy,) = turn.failures
    # Longer than our own longest wait of 20 ms.
    assert busy["retryInSeconds"] == pytest.approx(0.3)
    assert turn.ending == ("resolved", "end_turn")


async def test_a_server_that_asks_to_wait_longer_than_the_turn_may_take_is_not_waited_for(
    tmp_path: Path,
) -> None:
    rule = """
  - {name: busy, when: {format: none}, error: {status: 429, retryAfter: 3600}}
"""
    async with run_stack(small_project(), rule + PLANS + ACTIONS, tmp_path) as stack:
        turn = await stack.ask("hello")
    (busy,) = turn.failures
    assert busy["retryInSeconds"] is None
    assert turn.ending == ("failed", "model_rate_limit")


async def test_a_planner_whose_requests_are_refused_only_costs_its_plan(tmp_path: Path) -> None:
    rule = "\n  - {name: refuse, when: {format: plan}, error: {status: 400}}\n"
    async with run_stack(small_project(), rule + PLANS + ACTIONS, tmp_path) as stack:
        turn = await stack.ask("hello")
    (plan,) = turn.of("plan")
    assert plan["invalid"].startswith("rejected: ")
    assert turn.rules == ["refuse", "answer"]
    assert turn.ending == ("resolved", "end_turn")


async def test_a_planner_that_is_down_fails_the_turn(tmp_path: Path) -> None:
    rule = "\n  - {name: down, when: {format: plan}, error: {status: 529}}\n"
    async with run_stack(small_project(), rule + PLANS + ACTIONS, tmp_path) as stack:
        turn = await stack.ask("hello")
    assert turn.ending == ("failed", "model_overloaded")
    assert turn.answer["tokens"] == 0
    assert turn.answer["costUsd"] == "0"
    assert turn.rules == ["down", "down"]


async def test_a_change_is_made_once_though_the_model_fails_before_it_can_tell(
    tmp_path: Path,
) -> None:
    rule = """
  - name: down
    when: {text: '"status":"success"', format: none, times: 2}
    error: {status: 500}
"""
    async with run_stack(small_project(), rule + PLANS + ACTIONS, tmp_path) as stack:
        conversation = await stack.service.open()
        failed = await stack.say(conversation, "return it")
        again = await stack.say(conversation, "return it")
        assert await effects(stack.shop) == {"returns": 1}
    assert failed.ending == ("failed", "model_server")
    assert failed.rules == ["plan a change", "open a return", "down", "down"]
    (made,) = failed.results()
    assert (made["status"], made["effect"]) == ("success", "applied")
    assert again.ending == ("resolved", "end_turn")
    assert again.results()[0]["data"] == made["data"]


async def test_secrets_do_not_show_in_what_a_server_says(tmp_path: Path) -> None:
    secret = "sk-very-secret-1234567890"
    rule = f"""
  - name: leak
    when: {{format: none}}
    error: {{status: 401, message: 'the key {secret} is not valid'}}
"""
    async with run_stack(
        small_project(),
        rule + PLANS + ACTIONS,
        tmp_path,
        environment={"ANTHROPIC_API_KEY": secret},
    ) as stack:
        turn = await stack.ask("hello")
    assert turn.ending == ("failed", "model_rejected")
    assert "the key *** is not valid" in turn.failures[0]["message"]
    assert secret not in str((turn.answer, turn.stored, turn.events))


async def test_a_server_that_is_down_costs_nothing_and_is_used_once_it_is_back(
    tmp_path: Path,
) -> None:
    with socket.socket() as port:
        # The port is ours, and nobody answers there.
        port.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        project = write_project(small_project(), tmp_path)
        async with run_service(project, {"INTERLOCK_MODEL_URL": url}) as service:
            conversation = await service.open()
            answer = await service.send(conversation, "hello")
            assert (answer["outcome"], answer["reason"]) == ("failed", "model_connection")
            assert answer["reply"] == FAILED
            assert (answer["modelCalls"], answer["tokens"], answer["costUsd"]) == (2, 0, "0")
            trace = await service.get(f"/v1/turns/{answer['turnId']}/trace")
            calls = [each["data"] for each in trace["events"] if each["type"] == "model_call"]
            assert [call["maybeBilled"] for call in calls] == [False, False]
            assert trace["events"][-1]["type"] == "response"

            async with serving(Server(create_app(read_rules(PLANS + ACTIONS))), [port]):
                answer = await service.send(conversation, "and now?")
            assert (answer["outcome"], answer["reply"]) == ("resolved", "You said: and now?")
            shown = await service.get(f"/v1/conversations/{conversation}")
    assert [message["text"] for message in shown["messages"]] == [
        "hello",
        FAILED,
        "and now?",
        "You said: and now?",
    ]
