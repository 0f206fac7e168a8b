"""The secrets that a configuration refers to, from where they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlock.config.listing import FOLDERS
from interlock.model.base import SecretRef

__all__ = ["SecretFiles"]

_MOST_BYTES = 65_536


class SecretFiles:
    """Secrets in files, each as it was when first asked for. Blocks."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._read: dict[str, str] = {}
        self._lines: dict[str, str] = {}
        self._resolved: Mapping[SecretRef, str] = {}

    def read(self, path: str) -> str:
        """The secret in a file, without the line break at its end.

        Raises `ValueError` with the reason why it cannot be used, which never holds the secret.
        """
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def read_lines(self, path: str) -> str:
        """The same for what may have several lines, such as a public key as PEM."""
        if path not in self._lines:
            self._lines[path] = self._load_text(path)
        return self._lines[path]

    def take(self, resolved: Mapping[SecretRef, str]) -> None:
        """Has these secrets, which plugins gave, stand before all others."""
        self._resolved = resolved

    def have_changed(self) -> bool:
        """Whether a file that was asked for holds something else by now, or nothing of use."""
        now = SecretFiles(self._project)
        try:
            return any(now.read(path) != secret for path, secret in self._read.items()) or any(
                now.read_lines(path) != text for path, text in self._lines.items()
            )
        except ValueError:
            return True

    def resolve(self, value: str | SecretRef, environment: Mapping[str, str]) -> str:
        """The text of a value that may be kept elsewhere; that it can be had was checked."""
        if isinstance(value, str):
            return value
        if value in self._resolved:
            return self._resolved[value]
        if value.file is not None:
            return self.read(value.file)
        return environment.get(value.env or "", value.default or "")

    def _load(self, path: str) -> str:
        text = self._load_text(path)
        if not text.isprintable():
            raise ValueError("it has more than one line, or characters that cannot be sent")
        return text

    def _load_text(self, path: str) -> str:
        place = self._project / path
        try:
            if self._is_in_snapshot(place):
                raise ValueError("what lies there is kept with the configuration, and shown")
            if not place.is_file():
                raise ValueError("there is no such file")
            with place.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except (OSError, RuntimeError) as error:
            # RuntimeError is what pathlib makes of links that go round in circles.
            reason = error.strerror if isinstance(error, OSError) else None
            raise ValueError(reason or "the path leads nowhere") from error
        if len(data) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES} bytes")
        try:
            text = data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            # The error itself would quote the bytes.
            raise ValueError("it is not UTF-8 text") from None
        if not text:
            raise ValueError("it is empty")
        return text

    def _is_in_snapshot(self, place: Path) -> bool:
        inside = place.resolve()
        return any(inside.is_relative_to((self._project / folder).resolve()) for folder in FOLDERS)
