"""`interlock plugins`: what is listed, and that each file to begin with is right as it stands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.cli.plugins import UnknownHook
from interlock.hooks.contract import HOOKS
from tests.unit.cli.projects import SETTINGS, write_project
from tests.unit.hooks.plugin_files import HEAD

RULES = "plugins: {disable: [old]}\n"
GOOD = f"{HEAD}__version__ = '2.0'\n\n@hookimpl\ndef on_event(event): ...\n"


def plugins(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["plugins", *map(str, arguments)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = write_project(tmp_path / "project", interlock=f"{SETTINGS}{RULES}")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "good.py").write_text(GOOD)
    (folder / "plugins" / "old.py").write_text("interlock_api = 0\n1 / 0\n")
    return folder


def test_all_plugins_are_listed_with_where_they_are_from(project: Path) -> None:
    result = plugins("list", "--project", project, "--format", "json")
    assert result.exit_code == 0
    rows = {row["name"]: row for row in json.loads(result.stdout)["plugins"]}
    assert rows.keys() == {"builtin-guardrails", "builtin-sinks", "good", "old"}
    assert rows["good"] == {
        "name": "good",
        "version": "2.0",
        "origin": "drop-in",
        "file": "plugins/good.py",
        "hooks": ["on_event"],
        "status": "ready",
    }
    assert rows["old"]["status"] == "off"


def test_one_that_cannot_be_used_is_listed_with_the_reason(project: Path) -> None:
    (project / "plugins" / "bad.py").write_text(GOOD.replace("(event)", "(evnt)"))
    result = plugins("list", "--project", project)
    assert result.exit_code == 1
    [line] = [line for line in result.stdout.splitlines() if line.startswith("bad ")]
    assert line.split(maxsplit=5) == [
        *("bad", "-", "drop-in", "plugins/bad.py", "-"),
        "ILK-P103: on_event() asks for 'evnt', which this hook does not offer",
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_file_to_begin_with_is_right_and_clean_as_it_stands(hook: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(plugins("new", hook).stdout)
    result = plugins("check", file)
    assert (result.exit_code, result.stdout) == (0, "no errors\n")
    ruff = (sys.executable, "-m", "ruff", "check", "-q", "--isolated")
    rules = ("--select", "E,F,I,B", "--line-length", "100")
    done = subprocess.run([*ruff, *rules, str(file)], capture_output=True, text=True)
    assert done.stdout == ""


def test_an_unknown_hook_is_told_with_the_nearest() -> None:
    result = plugins("new", "guard_outptu")
    assert isinstance(result.exception, UnknownHook)
    assert str(result.exception) == "there is no hook 'guard_outptu'; did you mean 'guard_output'?"


def test_a_file_is_checked_with_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f"{HEAD}\nclass Mine(PluginSettings):\n    word: str\n\n"
        "@hookimpl\ndef settings_model():\n    return Mine\n\n"
        "@hookimpl\ndef guard_output(data, settings):\n"
        "    return None if data.text else data.text[0]\n"
    )
    missing = plugins("check", file)
    assert missing.exit_code == 1
    assert "'plugins.settings.mine' needs the key 'word'" in missing.stdout
    raising = plugins("check", file, "--settings", '{"word": "x"}')
    assert raising.exit_code == 1
    assert "plugins/mine.py:15:1: error[ILK-P108]" in raising.stdout
    assert "IndexError" in raising.stdout
    assert plugins("check", file, "--settings", "[]").exit_code == 2


def test_help_loads_neither_plugins_nor_the_sdk() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from interlock.cli.main import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "print(sorted({'anthropic', 'pluggy', 'sqlalchemy', 'fastapi', 'jinja2'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
