from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json, to_json

from interlock.sim import parse_rules
from interlock.sim.simulator import Answer, Simulator


def simulator(rules: str, **options: Any) -> Simulator:
    return Simulator(parse_rules(rules.encode(), "sim.yaml"), **options)


def body(text: str = "Hello", **fields: Any) -> bytes:
    return to_json(
        {
            "model": "claude-sonnet-5-5",
            "max_tokens": 1000,
            "messages": [{"role": "user", "content": text}],
            **fields,
        }
    )


def content(answer: Answer) -> dict[str, Any]:
    parsed: dict[str, Any] = from_json(b"".join(answer.parts))
    return parsed


def error(answer: Answer) -> tuple[int, str, str]:
    found = content(answer)
    assert found["type"] == "error"
    assert found["request_id"] == answer.request_id
    return answer.status, found["error"]["type"], found["error"]["message"]


OK = "rules: [{name: a, reply: {text: Hi}}]"


def test_a_reply_is_a_message() -> None:
    message = content(simulator(OK).answer_message(body(), []))

    assert message["id"].startswith("msg_sim")
    assert message["content"] == [{"type": "text", "text": "Hi"}]
    assert message["model"] == "claude-sonnet-5-5"
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)
    assert message["stop_details"] is None
    assert message["usage"]["input_tokens"] > 0
    assert message["usage"]["output_tokens"] == 1


def test_ids_are_unique_across_restarts() -> None:
    answers = [simulator(OK).answer_message(body(), []) for _ in range(5)]
    again = simulator(OK)
    answers += [again.answer_message(body(), []) for _ in range(5)]

    assert len({content(answer)["id"] for answer in answers}) == 10
    assert len({answer.request_id for answer in answers}) == 10


def test_tool_calls_have_ids_of_their_own() -> None:
    rules = "rules: [{name: a, reply: {tools: [{name: t}, {name: t}]}}]"

    first, second = content(simulator(rules).answer_message(body(), []))["content"]

    assert first["id"] != second["id"]
    assert first["id"].startswith("toolu_sim")
    assert first["input"] == {}


def test_a_request_without_a_rule_is_refused_with_its_traits() -> None:
    found = simulator("rules: []").answer_message(body("Where is it?"), [])

    status, kind, message = error(found)
    assert (status, kind) == (400, "invalid_request_error")
    assert message == (
        "No rule of the simulator matches. format: none; model: claude-sonnet-5-5; "
        "user: 'Where is it?'; offered: []; called: []; text: 'Where is it?'"
    )


def test_a_template_that_fails_names_its_rule() -> None:
    rules = "rules: [{name: broken, reply: {text: '{{ result(\"t\").data }}'}}]"

    status, kind, message = error(simulator(rules).answer_message(body(), []))

    assert (status, kind) == (500, "api_error")
    assert "rule 'broken' failed: 'None' has no attribute 'data'" in message


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{status: 529}", (529, "overloaded_error", "Overloaded")),
        ("{status: 429, message: Slow down}", (429, "rate_limit_error", "Slow down")),
        ("{status: 500}", (500, "api_error", "Internal Server Error")),
        ("{status: 503}", (503, "api_error", "Service Unavailable")),
        ("{status: 418, type: teapot_error, message: Tea}", (418, "teapot_error", "Tea")),
    ],
)
def test_an_error_rule_answers_with_its_error(rule: str, expected: tuple[int, str, str]) -> None:
    rules = f"rules: [{{name: a, error: {rule}}}]"

    assert error(simulator(rules).answer_message(body(), [])) == expected


def test_an_error_can_say_when_to_come_back() -> None:
    rules = "rules: [{name: a, error: {status: 429, retryAfter: 1.5}}]"

    assert simulator(rules).answer_message(body(), []).retry_after_seconds == 1.5


def test_a_refusal_has_its_category() -> None:
    rules = "rules: [{name: a, reply: {text: No., stopReason: refusal, refusalCategory: cyber}}]"

    message = content(simulator(rules).answer_message(body(), []))

    assert message["stop_reason"] == "refusal"
    assert message["stop_details"] == {"type": "refusal", "category": "cyber", "explanation": None}


def test_a_stop_sequence_is_the_requests_own() -> None:
    found = simulator("rules: [{name: a, reply: {text: a, stopReason: stop_sequence}}]")

    message = content(found.answer_message(body(stop_sequences=["END"]), []))

    assert message["stop_sequence"] == "END"


@pytest.mark.parametrize(
    ("thinking", "shown"),
    [(None, ""), ({"type": "adaptive"}, ""), ({"type": "adaptive", "display": "summarized"}, "hm")],
)
def test_thinking_is_shown_only_when_asked_for(thinking: Any, shown: str) -> None:
    found = simulator("rules: [{name: a, reply: {thinking: hm, text: a}}]")
    fields = {} if thinking is None else {"thinking": thinking}

    block = content(found.answer_message(body(**fields), []))["content"][0]

    assert block["thinking"] == shown
    assert block["signature"]


@pytest.mark.parametrize(
    ("rules", "default", "expected"),
    [
        (OK, 0, 0),
        (OK, 0.5, 0.5),
        (f"latency: 300ms\n{OK}", 0.5, 0.3),
        ("latency: 1s\nrules: [{name: a, latency: 2s, reply: {text: a}}]", 0, 2),
        ("latency: 1s\nrules: [{name: a, latency: 2s, reply: {text: a, latency: 3s}}]", 0, 3),
        ("latency: 1s\nrules: [{name: a, reply: {text: a, latency: 0ms}}]", 0, 0),
        ("rules: [{name: a, latency: 2s, error: {status: 500}}]", 0, 2),
        ("rules: [{name: a, latency: 2s, fault: drop}]", 0, 2),
    ],
)
def test_the_nearest_latency_holds(rules: str, default: float, expected: float) -> None:
    found = simulator(rules, default_latency_seconds=default).answer_message(body(), [])

    assert found.latency_seconds == pytest.approx(expected)


def test_a_refused_request_is_answered_at_once() -> None:
    assert simulator(f"latency: 9s\n{OK}").answer_message(b"{}", []).latency_seconds == 0


def test_drawn_latencies_repeat_with_the_seed() -> None:
    def draw(seed: int) -> list[float]:
        found = simulator(f"latency: {{min: 200ms, max: 400ms}}\nseed: {seed}\n{OK}")
        return [found.answer_message(body(), []).latency_seconds for _ in range(20)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert all(0.2 <= seconds <= 0.4 for seconds in draw(1))
    assert len(set(draw(1))) > 1


def test_random_in_templates_repeats_with_the_seed() -> None:
    rules = "rules: [{name: a, reply: {text: '{{ random.randint(1, 1000000) }}'}}]"

    assert (
        content(simulator(rules).answer_message(body(), []))["content"]
        == (content(simulator(rules).answer_message(body(), []))["content"])
    )


def test_a_stream_is_answered_with_events() -> None:
    answer = simulator(OK).answer_message(body(stream=True), [])

    assert answer.is_stream
    assert answer.parts[0].startswith(b"event: message_start\n")


def test_a_stream_error_needs_a_stream() -> None:
    rules = "rules: [{name: a, fault: streamError}]"

    assert error(simulator(rules).answer_message(body(), []))[0] == 529
    assert simulator(rules).answer_message(body(stream=True), []).fault == "streamError"


def test_counting_agrees_with_the_usage() -> None:
    found = simulator(OK)
    fields: Any = {
        "system": "Be kind.",
        "tools": [{"name": "t", "input_schema": {"type": "object"}}],
    }

    usage = content(found.answer_message(body(**fields), []))["usage"]
    counted = from_json(body(**fields))
    del counted["max_tokens"]

    assert content(found.answer_count(to_json(counted))) == {"input_tokens": usage["input_tokens"]}


def test_a_prompt_beyond_the_context_window_is_refused_but_counted() -> None:
    found = simulator(OK)
    long = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "a" * 900_000}]}

    _, _, message = error(found.answer_message(to_json({**long, "max_tokens": 10}), []))

    assert message.startswith("prompt is too long: 2250")
    assert content(found.answer_count(to_json(long)))["input_tokens"] > 200_000


def test_models_are_listed_and_described() -> None:
    found = simulator(OK)

    listed = [model["id"] for model in content(found.answer_models())["data"]]
    assert "claude-haiku-5-5" in listed
    assert content(found.answer_models("claude-haiku-5-5"))["id"] == "claude-haiku-5-5"
    assert error(found.answer_models("gpt-9"))[:2] == (404, "not_found_error")
    assert content(simulator(f"models: any\n{OK}").answer_models("gpt-9"))["id"] == "gpt-9"


def test_what_was_answered_is_recorded() -> None:
    found = simulator(
        """
        rules:
          - {name: gone, when: {user: gone}, fault: hang}
          - {name: busy, when: {user: busy}, error: {status: 529}}
          - {name: a, when: {user: Hello}, reply: {text: Hi}}
        """
    )
    for text in ("Hello", "gone", "busy", "other"):
        found.answer_message(body(text), [])

    assert found.record.stats()["by_rule"] == {"a": 1, "gone": 1, "busy": 1}
    assert found.record.stats()["by_status"] == {"200": 1, "none": 1, "529": 1, "400": 1}
    assert found.record.stats()["tokens"]["output_tokens"] > 0
    assert found.record.last(1)[0]["body"]["messages"][0]["content"] == "other"
