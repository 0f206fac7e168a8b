from __future__ import annotations

from typing import Any

import pytest

from interlock.sim.errors import ApiError
from interlock.sim.request import Request
from interlock.sim.validation import validate_request

TOOL = {"name": "look_up", "input_schema": {"type": "object", "properties": {}}}
PLAN = {
    "title": "Plan",
    "type": "object",
    "additionalProperties": False,
    "properties": {"steps": {"type": "array", "items": {"type": "string"}}},
}


def body(**changes: Any) -> dict[str, Any]:
    """A valid request; a change to `...` removes the field."""
    fields: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def check(value: Any, **options: Any) -> Request:
    return validate_request(value, **{"any_model": False, **options})


def refusal(value: Any, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        check(value, **options)
    return caught.value


def schema(**changes: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": {**PLAN, **changes}}}


def test_a_minimal_request_is_read() -> None:
    request = check(body())

    assert request.model == "claude-sonnet-5-5"
    assert request.max_tokens == 1000
    assert not request.stream
    assert request.messages[0].blocks == [{"type": "text", "text": "Hello"}]
    assert request.tool_choice == "none"


def test_every_documented_field_is_accepted() -> None:
    request = check(
        body(
            system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            tools=[{**TOOL, "description": "Looks it up.", "strict": False, "type": "custom"}],
            tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            stop_sequences=["END"],
            stream=True,
            thinking={"type": "adaptive", "display": "summarized"},
            output_config={"effort": "low", **schema()},
            cache_control={"type": "ephemeral", "ttl": "1h"},
            metadata={"user_id": "u1"},
            service_tier="auto",
            speed="standard",
            inference_geo="us",
            container=None,
            diagnostics={"previous_message_id": "msg_1"},
        )
    )

    assert request.stream
    assert request.tool_choice == "auto"
    assert request.schema == PLAN


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "The request body must be a JSON object"),
        (body(model=...), "model: Field required"),
        (body(max_tokens=...), "max_tokens: Field required"),
        (body(messages=...), "messages: Field required"),
        (body(model=5), "model: Input should be a non-empty string"),
        (body(max_tokens="1"), "max_tokens: Input should be a valid integer"),
        (body(max_tokens=True), "max_tokens: Input should be a valid integer"),
        (body(max_tokens=0), "max_tokens: Input should be greater than or equal to 1"),
        (body(max_tokens=128_001), "128001 > 128000, which is the maximum allowed number"),
        (body(temperature=1), "temperature: sampling parameters are not supported"),
        (body(top_p=1), "top_p: sampling parameters are not supported"),
        (body(top_k=1), "top_k: sampling parameters are not supported"),
        (body(max_token=1), "max_token: Extra inputs are not permitted"),
        (body(stream="yes"), "stream: Input should be a valid boolean"),
        (body(stop_sequences="END"), "stop_sequences: Input should be a valid list"),
        (body(stop_sequences=[1]), "stop_sequences.0: Input should be a valid string"),
        (body(stop_sequences=[" "]), "each stop sequence must contain non-whitespace"),
        (body(metadata={"user": "u"}), "metadata.user: Extra inputs are not permitted"),
        (body(metadata={"user_id": 5}), "metadata.user_id: Input should be a valid string"),
        (body(service_tier="fast"), "service_tier: Input should be one of"),
        (body(speed="slow"), "speed: Input should be one of"),
        (body(container=5), "container: "),
        (body(diagnostics=[]), "diagnostics: "),
        (body(cache_control={"type": "forever"}), "cache_control.type: "),
        (body(cache_control={"type": "ephemeral", "ttl": "1d"}), "cache_control.ttl: "),
        (body(system=5), "system: Input should be a valid string or list"),
        (body(system=[{"type": "text", "text": ""}]), "text content blocks must be non-empty"),
        (body(system=[{"type": "image"}]), "system.0.type: Input should be 'text'"),
        (body(thinking={}), "thinking.type: Input should be one of"),
        (body(thinking={"type": []}), "thinking.type: Input should be one of"),
        (body(thinking={"type": "adaptive", "budget_tokens": 1}), "thinking.adaptive.budget_tok"),
        (body(thinking={"type": "adaptive", "display": "all"}), "thinking.adaptive.display"),
        (body(output_config=5), "output_config: Input should be an object"),
        (body(output_config={"task_budget": 1}), "output_config.task_budget: Extra inputs"),
        (body(output_config={"effort": "extreme"}), "output_config.effort: Input should be one"),
        (body(output_config={"format": {"type": "json"}}), "output_config.format.type: "),
        (
            body(output_config={"format": {"type": "json_schema", "schema": 1}}),
            "output_config.format.schema: Input should be a valid dictionary",
        ),
        (
            body(output_config={"format": {**schema()["format"], "name": "x"}}),
            "output_config.format.name: Extra inputs are not permitted",
        ),
        (
            body(output_config=schema(additionalProperties=True)),
            "'additionalProperties' must be explicitly set to false",
        ),
        (
            body(output_config=schema(properties={"a": {"type": "object"}})),
            "output_config.format.schema.properties.a: For 'object' type",
        ),
        (
            body(output_config=schema(properties={"a": {"type": "integer", "minimum": 1}})),
            "For 'integer' type, properties minimum are not supported",
        ),
        (
            body(
                output_config=schema(properties={"a": {"type": ["string", "null"], "maxLength": 1}})
            ),
            "For 'string' type, properties maxLength are not supported",
        ),
        (
            body(output_config=schema(properties={"a": {"type": "array", "minItems": 2}})),
            "'minItems' values other than 0 or 1",
        ),
        (
            body(output_config=schema(properties={"a": {"oneOf": [{"type": "null"}]}})),
            "Schema must have one of",
        ),
        (
            body(output_config=schema(properties={"a": {"type": "null", "oneOf": []}})),
            "JSON schema is invalid",
        ),
        (
            body(output_config=schema(properties={"a": {"anyOf": [{"type": "object"}]}})),
            "schema.properties.a.anyOf.0: For 'object' type",
        ),
        (body(output_config=schema(properties=[])), "JSON schema is invalid"),
        (body(tools={}), "tools: Input should be a valid list"),
        (body(tools=[5]), "tools.0: Input should be an object"),
        (body(tools=[{"name": "a"}]), "tools.0.custom.input_schema: Field required"),
        (body(tools=[{**TOOL, "name": "orders.get"}]), "String should match pattern"),
        (body(tools=[{**TOOL, "name": "x" * 65}]), "String should match pattern"),
        (body(tools=[TOOL, TOOL]), "tools: Tool names must be unique"),
        (body(tools=[{**TOOL, "when": 1}]), "tools.0.custom.when: Extra inputs"),
        (body(tools=[{**TOOL, "description": 1}]), "tools.0.custom.description: "),
        (body(tools=[{**TOOL, "strict": 1}]), "tools.0.custom.strict: "),
        (body(tools=[{**TOOL, "type": "magic"}]), "tools.0: Input tag 'magic'"),
        (body(tools=[{**TOOL, "input_schema": 1}]), "tools.0.custom.input_schema: "),
        (
            body(tools=[{**TOOL, "input_schema": {"type": "array"}}]),
            "tools.0.custom.input_schema.type: Input should be 'object'",
        ),
        (
            body(tools=[{**TOOL, "input_schema": {"type": "object", "required": "a"}}]),
            "JSON schema is invalid",
        ),
        (body(tools=[{**TOOL, "strict": True}]), "'additionalProperties' must be explicitly"),
        (body(tools=[TOOL], tool_choice={"type": "some"}), "tool_choice.type: "),
        (body(tools=[TOOL], tool_choice={"type": "auto", "x": 1}), "tool_choice.auto.x: Extra"),
        (
            body(tools=[TOOL], tool_choice={"type": "auto", "disable_parallel_tool_use": 1}),
            "tool_choice.auto.disable_parallel_tool_use: ",
        ),
        (body(tool_choice={"type": "auto"}), "tool_choice: may only be specified while"),
        (
            body(model="claude-haiku-4-5", tools=[TOOL], tool_choice={"type": "tool", "name": "x"}),
            "Tool 'x' not found in provided tools",
        ),
    ],
)
def test_a_bad_request_is_refused_with_the_place(value: Any, message: str) -> None:
    error = refusal(value)

    assert (error.status, error.kind) == (400, "invalid_request_error")
    assert message in error.message


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"])
@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "look_up"}])
def test_tool_use_cannot_be_forced_on_5_5_models(model: str, choice: dict[str, str]) -> None:
    error = refusal(body(model=model, tools=[TOOL], tool_choice=choice))

    assert "forces tool use, which this model does not support" in error.message


def test_tool_use_can_be_forced_on_older_models() -> None:
    request = check(body(model="claude-haiku-4-5", tools=[TOOL], tool_choice={"type": "any"}))

    assert request.tool_choice == "any"


@pytest.mark.parametrize(
    ("model", "accepted"),
    [
        ("claude-opus-5-5", {"adaptive"}),
        ("claude-sonnet-5-5", {"adaptive", "between_tools"}),
        ("claude-haiku-5-5", {"adaptive", "disabled"}),
        ("claude-haiku-4-5", {"enabled", "disabled"}),
        ("claude-haiku-4-5-20251001", {"enabled", "disabled"}),
    ],
)
def test_each_model_takes_its_own_kinds_of_thinking(model: str, accepted: set[str]) -> None:
    settings = {
        "adaptive": {"type": "adaptive"},
        "between_tools": {"type": "between_tools"},
        "disabled": {"type": "disabled"},
        "enabled": {"type": "enabled", "budget_tokens": 1024},
    }

    for kind, thinking in settings.items():
        value = body(model=model, max_tokens=2000, thinking=thinking)
        if kind in accepted:
            check(value)
        else:
            assert f'"{kind}" is not supported for this model' in refusal(value).message


@pytest.mark.parametrize(("budget", "max_tokens"), [(1023, 2000), (True, 2000), (2000, 2000)])
def test_a_thinking_budget_has_bounds(budget: int, max_tokens: int) -> None:
    thinking = {"type": "enabled", "budget_tokens": budget}

    error = refusal(body(model="claude-haiku-4-5", max_tokens=max_tokens, thinking=thinking))

    assert "budget_tokens" in error.message


def test_a_model_without_effort_refuses_it() -> None:
    error = refusal(body(model="claude-haiku-4-5", output_config={"effort": "low"}))

    assert "output_config.effort: 'low' is not supported for this model" in error.message


def test_an_unknown_model_is_not_found() -> None:
    error = refusal(body(model="gpt-9"))

    assert (error.status, error.kind) == (404, "not_found_error")
    assert "gpt-9" in error.message


def test_rules_may_admit_every_model() -> None:
    assert check(body(model="gpt-9"), any_model=True).model == "gpt-9"


def test_counting_takes_fewer_fields() -> None:
    check(body(max_tokens=...), counting=True)

    assert "max_tokens: Extra inputs" in refusal(body(), counting=True).message
    assert "messages: Field required" in refusal(body(messages=...), counting=True).message
