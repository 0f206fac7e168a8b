from __future__ import annotations

from pathlib import Path

import pytest

from interlock.cli.project import NotAProject, read_settings, store_url
from interlock.errors import ConfigError
from tests.unit.cli.projects import SETTINGS, write_project

FROM_ENVIRONMENT = SETTINGS.replace('"sqlite:///var/store.db"', "{env: WHERE}")


def test_settings_are_read_whatever_state_the_other_files_are_in(tmp_path: Path) -> None:
    project = write_project(tmp_path, agents__helper="name: [", tools__people="a: b")
    assert read_settings(project).models["small"].model == "test-model"


def test_a_folder_that_is_no_project_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotAProject, match="name it with --project"):
        read_settings(tmp_path)


@pytest.mark.parametrize("text", ["a: [", "", "server: {port: x}\n", SETTINGS + "a: 1\na: 2\n"])
def test_settings_that_are_not_valid_come_with_findings(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings(write_project(tmp_path, interlock=text))
    assert raised.value.diagnostics


def test_the_store_is_where_the_file_or_the_environment_says(tmp_path: Path) -> None:
    settings = read_settings(write_project(tmp_path))
    assert store_url(settings, {}) == "sqlite:///var/store.db"
    settings = read_settings(write_project(tmp_path, interlock=FROM_ENVIRONMENT))
    assert store_url(settings, {"WHERE": "sqlite:///x.db"}) == "sqlite:///x.db"
    with pytest.raises(NotAProject, match="WHERE, which is not set"):
        store_url(settings, {})
