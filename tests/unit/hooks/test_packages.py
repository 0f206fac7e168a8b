"""Installed plugins: found by their entry point, with their version, and named in findings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interlock.reload.generation import build, check
from tests.unit.hooks.plugin_files import HEAD, with_plugins

CODE = f"{HEAD}\n@hookimpl\ndef guard_input(data):\n    return Deny('installed')\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for packages that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, name: str, code: str, *, version: str = "1.4") -> None:
    (site / f"{name}_module.py").write_text(code)
    about = site / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text(f"[interlock]\n{name} = {name}_module\n")


async def test_an_installed_plugin_is_found_with_its_version(site: Path) -> None:
    install(site, "pii_a", CODE)
    made = build(with_plugins("plugins: {required: [pii_a>=1.4]}\n"), {})
    found = made.plugins.members[-1].found
    assert (found.name, found.origin, found.version) == ("pii_a", "package", "1.4")
    assert [each.guardrail.name for each in made.agents["support"].guards.input] == ["pii_a"]
    await made.close()


def test_an_older_version_than_is_required_is_refused(site: Path) -> None:
    install(site, "pii_b", CODE)
    loaded, _ = check(with_plugins("plugins: {required: [pii_b>=1.10]}\n"), {})
    [found] = loaded.found
    assert found.message == "the required plugin 'pii_b' has the version 1.4, and 1.10 is needed"


def test_one_that_is_disabled_is_not_imported(site: Path) -> None:
    install(site, "pii_c", "1 / 0\n")
    loaded, _ = check(with_plugins("plugins: {disable: [pii_c]}\n"), {})
    assert loaded.found == ()
    assert "pii_c_module" not in sys.modules


def test_one_that_cannot_be_imported_is_told_with_its_own_line(site: Path) -> None:
    install(site, "pii_d", "x = 1\n\ny = x / 0\n")
    loaded, _ = check(with_plugins(), {})
    [found] = loaded.found
    assert found.code == "ILK-P101"
    assert Path(found.location.path).name == "pii_d_module.py"
    assert found.location.line == 3


def test_a_drop_in_with_the_name_of_an_installed_plugin_is_refused(site: Path) -> None:
    install(site, "pii_e", CODE)
    loaded, _ = check(with_plugins(pii_e="@hookimpl\ndef on_event(): ...\n"), {})
    assert [(each.code, each.location.path) for each in loaded.found] == [
        ("ILK-P107", "plugins/pii_e.py")
    ]
