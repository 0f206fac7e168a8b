"""Every folder of `corpus/` is a configuration with something wrong, and what is said about it.

A case holds only the files in which it differs from `corpus/_base`; `without.txt` names files of
the base that it leaves out. After a wanted change of words, write all `expected.txt` anew with

    UPDATE_CORPUS=1 pytest tests/unit/config/test_corpus.py

and read the difference.
"""

from __future__ import annotations

import os

import pytest

from interlock.config.load import Loaded
from interlock.config.source import Source
from interlock.diagnostics import CODES, render_text
from interlock.reload.generation import check
from tests.unit.config.project import CORPUS, base_files, read_folder

CASES = sorted(path.name for path in CORPUS.iterdir() if path.name != "_base")

OF_FILES = {code for code in CODES if not code.startswith("ILK-R")}
"""The others are about reading files and about changing them while the service runs."""


def load_case(name: str) -> tuple[Loaded, dict[str, bytes]]:
    own = read_folder(CORPUS / name)
    own.pop("expected.txt", None)
    without = own.pop("without.txt", b"").decode().split()
    files = {path: data for path, data in base_files().items() if path not in without} | own
    return checked(files, name), files


def checked(files: dict[str, bytes], name: str) -> Loaded:
    loaded, toolbox = check(Source(files), {}, project=CORPUS / name)
    if toolbox is not None:
        toolbox.forget()
    return loaded


@pytest.mark.parametrize("name", CASES)
def test_a_broken_configuration_is_explained_at_its_place(name: str) -> None:
    loaded, files = load_case(name)
    text = render_text(loaded.found, files) + "\n"
    expected = CORPUS / name / "expected.txt"
    if os.environ.get("UPDATE_CORPUS"):
        expected.write_text(text)
    assert text == expected.read_text()


@pytest.mark.parametrize("name", CASES)
def test_there_is_a_snapshot_exactly_when_nothing_is_an_error(name: str) -> None:
    loaded, _ = load_case(name)
    errors = [found for found in loaded.found if found.severity == "error"]
    assert loaded.found
    assert (loaded.snapshot is None) == bool(errors)


def test_the_corpus_shows_every_code() -> None:
    shown = {found.code for name in CASES for found in load_case(name)[0].found}
    assert shown == OF_FILES


def test_the_base_of_the_corpus_has_nothing_wrong() -> None:
    loaded = checked(base_files(), "_base")
    assert loaded.found == ()
    assert loaded.snapshot is not None
