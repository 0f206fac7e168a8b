"""The language server that the tests run is the one that is pinned, and nothing names a host."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.editor.draft import ROOT
from tests.e2e.editor.installation import install

_HERE = Path(__file__).parent


def test_every_package_is_pinned_by_its_hash_and_not_by_a_place() -> None:
    packages = json.loads((_HERE / "package-lock.json").read_text())["packages"]
    root = packages.pop("")
    assert (
        root["devDependencies"]
        == json.loads((_HERE / "package.json").read_text())["devDependencies"]
    )
    assert "node_modules/yaml-language-server" in packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_what_is_installed_is_used_again(command: tuple[str, ...]) -> None:
    _, server, _ = command
    before = Path(server).stat()
    assert install(ROOT / ".cache" / "editor") == command
    assert Path(server).stat().st_ino == before.st_ino
