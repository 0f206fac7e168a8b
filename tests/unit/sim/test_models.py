from __future__ import annotations

import pytest
from anthropic.types import ModelInfo

from interlock.sim.models import MODELS, describe_model, find_model


@pytest.mark.parametrize("name", MODELS)
def test_each_description_is_one_that_the_sdk_reads(name: str) -> None:
    info = ModelInfo.model_validate(describe_model(name, MODELS[name]), strict=False)

    assert info.id == name
    assert info.max_tokens == MODELS[name].max_output_tokens
    assert info.line == MODELS[name].line
    assert info.capabilities is not None
    assert info.capabilities.thinking.types.adaptive.supported == (
        "adaptive" in MODELS[name].thinking
    )


def test_a_description_says_that_the_model_is_simulated() -> None:
    described = describe_model("claude-haiku-5-5", MODELS["claude-haiku-5-5"])

    assert described["display_name"] == "Claude Haiku 5.5 (simulated)"


def test_a_dated_id_is_the_same_model() -> None:
    assert find_model("claude-haiku-4-5-20251001", any_model=False) is MODELS["claude-haiku-4-5"]


def test_unknown_ids_are_found_only_if_the_vendor_might_have_them() -> None:
    assert find_model("claude-haiku-9", any_model=False) is not None
    assert find_model("gpt-9", any_model=False) is None
    assert find_model("gpt-9", any_model=True) is not None


def test_a_new_model_of_the_5_5_generation_behaves_like_its_siblings() -> None:
    found = find_model("claude-new-5-5", any_model=False)

    assert found is not None
    assert not found.forced_tools
    assert found.binds_thinking
