"""Which generation a line of the log belongs to."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from interlock.reload.log_lines import name_generations, new_formatter
from tests.unit.reload.conversations import conversation
from tests.unit.reload.fakes import bench
from tests.unit.reload.sources import make_source

_LOG = logging.getLogger("test")


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What a process logs."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(new_formatter())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


async def test_a_line_names_the_generation_of_its_turn_or_the_active_one(
    tmp_path: Path, log: StringIO
) -> None:
    _LOG.warning("before")
    async with bench(tmp_path, make_source(text="One.")) as made:
        generations = made.supervisor.generations
        with name_generations(generations):
            async with generations.pin(conversation()):
                await made.reload(make_source(text="Two."))
                _LOG.warning("in the turn")
            _LOG.warning("outside")
    _LOG.warning("after")
    lines = [line.split(" ", 3)[3] for line in log.getvalue().splitlines() if " test: " in line]
    assert lines == [
        "generation=- test: before",
        "generation=1 test: in the turn",
        "generation=2 test: outside",
        "generation=- test: after",
    ]
