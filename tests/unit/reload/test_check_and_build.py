"""`check` and `build` are one path: what one accepts, the other does, with the same findings."""

from __future__ import annotations

import pytest

from interlock.config.source import Source
from interlock.errors import ConfigError
from interlock.reload.generation import build, check
from tests.unit.config.project import CORPUS, base_files, read_folder

CASES = sorted(path.name for path in CORPUS.iterdir())


@pytest.mark.parametrize("name", CASES)
async def test_a_configuration_passes_the_check_exactly_when_it_can_be_built(name: str) -> None:
    own = read_folder(CORPUS / name)
    without = own.pop("without.txt", b"").decode().split()
    base = {path: data for path, data in base_files().items() if path not in without}
    source = Source(base | own)
    loaded, toolbox = check(source, {}, project=CORPUS / name)
    assert (toolbox is None) == (loaded.snapshot is None)
    if toolbox is None:
        with pytest.raises(ConfigError) as refused:
            build(source, {}, project=CORPUS / name)
        assert refused.value.diagnostics == loaded.found
        return
    toolbox.forget()
    generation = build(source, {}, project=CORPUS / name)
    await generation.close()
    assert generation.found == loaded.found
    assert generation.snapshot.digest == source.digest
