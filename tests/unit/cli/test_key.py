from __future__ import annotations

import hashlib

import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.config.validate import validate
from interlock.config.yaml import parse_yaml
from interlock.model.settings import Settings
from interlock.service.keys import key_of
from tests.unit.cli.projects import SETTINGS


def test_the_printed_entry_lets_the_printed_key_in() -> None:
    result = CliRunner().invoke(app, ["key", "shop-frontend"])
    assert result.exit_code == 0
    key, _, rest = result.stdout.partition("\n")
    entry = rest[rest.index("auth:") :]
    documents, _ = parse_yaml("interlock.yaml", (SETTINGS + entry).encode())
    settings, found = validate(Settings, documents[0])
    assert found == []
    assert settings is not None
    [known] = settings.auth.keys
    assert known.name == "shop-frontend"
    assert known.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert key_of(key, settings.auth.keys) == known
    assert known.role == "chat"


def test_two_keys_differ() -> None:
    first, second = (CliRunner().invoke(app, ["key", "a"]).stdout for _ in range(2))
    assert first.splitlines()[0] != second.splitlines()[0]


@pytest.mark.parametrize("name", ["2fast", "a b", ""])
def test_a_name_that_the_file_would_refuse_is_refused(name: str) -> None:
    assert CliRunner().invoke(app, ["key", name]).exit_code == 2
