"""Variables that are written as numbers and would be printed as other ones."""

from __future__ import annotations

import pytest

from interlock.reload.generation import check
from tests.unit.reload.sources import make_source


def found(value: str, *, where: str) -> list[str]:
    variables = f"variables: {{version: {value}}}\n"
    if where == "interlock.yaml":
        source = make_source(settings=variables)
    else:
        base = make_source().files["agents.d/support.yaml"].decode()
        source = make_source(files={"agents.d/support.yaml": base + variables})
    return [str(each) for each in check(source, {})[0].found]


@pytest.mark.parametrize("where", ["interlock.yaml", "agents.d/support.yaml"])
@pytest.mark.parametrize(("written", "shown"), [("1.10", "1.1"), ("+5", "5"), ("2.50e+1", "25.0")])
def test_a_variable_that_would_be_shown_otherwise_is_an_error(
    written: str, shown: str, where: str
) -> None:
    [finding] = found(written, where=where)
    assert finding.startswith(where)
    assert f"error[ILK-Y004]: '{written}' is ambiguous: prompts would show it as {shown}" in finding


@pytest.mark.parametrize("value", ["1.1", "5", "-3", '"1.10"', "true", "text", "0.5"])
def test_what_is_shown_as_it_is_written_is_in_order(value: str) -> None:
    assert found(value, where="interlock.yaml") == []


def test_a_key_that_takes_numbers_only_may_be_written_at_will() -> None:
    base = make_source().files["agents.d/support.yaml"].decode()
    source = make_source(files={"agents.d/support.yaml": base + "limits: {warnAt: 0.80}\n"})
    assert check(source, {})[0].found == ()
