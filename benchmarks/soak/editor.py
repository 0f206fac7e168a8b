"""Random edits of real files, as people, editors, programs and Kubernetes make them."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.soak.journal import Journal
from benchmarks.soak.project import MOUNT, PASSING, PLAIN, Mount, Texts, spoil

__all__ = ["Editor"]

_ALL = ("interlock.yaml", "agents.d", "tools.d", "plugins")
_NEEDED = ("interlock.yaml", "plugins/orders.py", "tools.d/order.yaml", "tools.d/shipping.yaml")
"""Files without which the others are invalid."""


class Editor:
    """Edits the project behind a link. It blocks, so it belongs into a thread.

    `journal` is told of every state of the files, and whether that is valid, which follows from
    what was done and not from what Interlock says of it.
    """

    def __init__(
        self, current: Path, texts: Texts, choice: random.Random, journal: Journal
    ) -> None:
        self.kinds: Counter[str] = Counter()
        """How many edits of each kind were made."""
        self._current = current
        self._texts = texts
        self._choice = choice
        self._journal = journal
        self._quiet = texts.quiet_ms / 1000
        self._edition = 0
        self._broken: set[str] = set()
        """What has to be repaired until the files are valid."""
        self._kept: Path | None = None
        """Where the files are while the tree is empty."""
        self._edits: dict[str, tuple[int, Callable[[], None]]] = {
            "in place": (6, self._write_in_place),
            "by rename": (6, self._write_by_rename),
            "invalid": (10, self._spoil),
            "slowly": (3, self._write_slowly),
            "half-written for a while": (3, self._write_half),
            "away and back": (4, self._move_away_and_back),
            "agent removed or made again": (5, self._remove_or_make),
            "declared twice": (2, self._copy),
            "emptied tree": (2, self._empty),
            "agents.d away and back": (2, self._move_folder_away_and_back),
            "ConfigMap swap": (6, self._swap),
            "invalid ConfigMap swap": (3, self._swap_invalid),
            "same size and time": (4, self._write_same_stamp),
            "touched": (2, self._touch),
            "litter of editors": (3, self._litter),
            "file of an unknown kind": (3, self._write_unknown),
            "file in a new folder": (2, self._write_in_new_folder),
            "release turned": (2, self._turn_release),
        }

    def edit(self, count: int, *, burst: bool) -> None:
        """Makes so many edits, in a burst without any rest in between."""
        for number in range(count):
            if number and not burst:
                self._rest()
            kind = self._choose()
            self.kinds[kind] += 1
            if kind == "repair":
                self._repair()
            else:
                self._edits[kind][1]()

    def repair(self) -> None:
        """Makes the files valid."""
        while self._broken:
            self._repair()

    def _choose(self) -> str:
        if self._kept is not None or (self._broken and self._choice.random() < 0.5):
            return "repair"
        kinds = list(self._edits)
        weights = [weight for weight, _ in self._edits.values()]
        return self._choice.choices(kinds, weights)[0]

    # What is done, in words that the journal is told of.

    def _path(self, name: str) -> Path:
        return self._current / name

    def _new(self, name: str) -> bytes:
        self._edition += 1
        return self._texts.of(name, self._edition).encode()

    def _record(self, change: Callable[[], object]) -> None:
        self._journal.record(change, valid=not self._broken)

    def _break(self, name: str, change: Callable[[], object]) -> None:
        self._broken.add(name)
        self._record(change)

    def _mend(self, name: str, change: Callable[[], object]) -> None:
        self._broken.discard(name)
        self._record(change)

    def _rest(self) -> None:
        """Nothing at all, less than the quiet time, or more."""
        time.sleep(self._choice.choice((0.0, 0.0, 0.1, 0.5, 1.5)) * self._quiet)

    def _any(self) -> str:
        """A file that is there."""
        return self._choice.choice([name for name in PLAIN if self._path(name).exists()])

    def _repair(self) -> None:
        if self._kept is not None:
            self._restore(self._kept)
            return
        name = self._choice.choice(sorted(self._broken))
        if name == MOUNT:
            self._swap()
        elif name in PLAIN:
            self._replace(name)
        else:
            self._mend(name, self._path(name).unlink)

    # The kinds of edits.

    def _write_in_place(self) -> None:
        self._overwrite(self._any())

    def _overwrite(self, name: str) -> None:
        data, path = self._new(name), self._path(name)
        # The file is empty for a moment, which is invalid.
        with path.open("r+b") as file:
            self._break(name, lambda: file.truncate(0))
            file.write(data)
            self._mend(name, file.flush)

    def _write_by_rename(self) -> None:
        self._replace(self._any())

    def _replace(self, name: str) -> None:
        data, path = self._new(name), self._path(name)
        # Some programs hide the new file, and some do not.
        hidden = self._choice.random() < 0.5
        new = path.with_name(f".{path.name}.tmp" if hidden else f"{path.name}.new")
        self._record(partial(_place, new, data))
        self._mend(name, lambda: os.replace(new, path))

    def _spoil(self) -> None:
        name = self._any()
        data = spoil(name, self._new(name).decode(), self._choice)
        if self._choice.random() < 0.5:
            self._break(name, lambda: self._path(name).write_bytes(data))
            return
        self._break(name, partial(_place, self._path(name), data))

    def _write_slowly(self) -> None:
        self._write_parts(self._choice.randrange(2, 5), rest=0.5 * self._quiet)

    def _write_half(self) -> None:
        self._write_parts(2, rest=self._choice.choice((1.2, 3.0)) * self._quiet)

    def _write_parts(self, count: int, *, rest: float) -> None:
        name = self._any()
        data = self._new(name)
        # Only the last part has the bracket without which it is invalid.
        ends = sorted(self._choice.sample(range(1, len(data) - 2), count - 1))
        with self._path(name).open("r+b") as file:
            self._break(name, lambda: file.truncate(0))
            for begin, end in zip([0, *ends], [*ends, len(data)], strict=True):
                if begin:
                    time.sleep(rest)
                file.write(data[begin:end])
                (self._mend if end == len(data) else self._break)(name, file.flush)

    def _move_away_and_back(self) -> None:
        names = (*_NEEDED, *(name for name in PASSING if self._path(name).exists()))
        name = self._choice.choice(names)
        path = self._path(name)
        away = path.with_name(self._choice.choice((f".{path.name}.away", f"{path.name}~")))
        before = set(self._broken)
        if name in PASSING:
            self._mend(name, lambda: os.rename(path, away))
        else:
            self._break(name, lambda: os.rename(path, away))
        self._rest()
        self._broken = before
        self._record(lambda: os.rename(away, path))

    def _remove_or_make(self) -> None:
        name = self._choice.choice(PASSING)
        path = self._path(name)
        if path.exists():
            self._mend(name, path.unlink)
            return
        self._broken.add(name)
        with path.open("xb") as file:
            self._record(lambda: None)
            file.write(self._new(name))
            self._mend(name, file.flush)

    def _copy(self) -> None:
        name = "agents.d/copy.yaml"
        original = self._path("agents.d/steady_0.yaml")
        self._break(name, lambda: shutil.copyfile(original, self._path(name)))

    def _empty(self) -> None:
        """Removes everything, so that it will be made again as other files of the same names."""
        self._kept = self._current.parent / "kept"
        shutil.copytree(self._current, self._kept, symlinks=True)
        # First what the others need: with some of the agents gone, the rest must not be valid.
        self._break("", self._path("interlock.yaml").unlink)
        for name in _ALL[1:]:
            self._record(partial(shutil.rmtree, self._path(name)))
        self._rest()
        if self._choice.random() < 0.5:
            self._restore(self._kept)

    def _restore(self, kept: Path) -> None:
        for name in _ALL[1:]:
            copy = partial(shutil.copytree, kept / name, self._path(name), symlinks=True)
            self._record(copy)
        self._mend("", lambda: shutil.copyfile(kept / _ALL[0], self._path(_ALL[0])))
        shutil.rmtree(kept)
        self._kept = None

    def _move_folder_away_and_back(self) -> None:
        folder, away = self._path("agents.d"), self._path("agents.old")
        self._break("agents.d", lambda: os.rename(folder, away))
        self._rest()
        self._mend("agents.d", lambda: os.rename(away, folder))

    def _swap(self) -> None:
        self._edition += 1
        files = self._texts.of_mount(self._edition)
        self._mend(MOUNT, lambda: Mount(self._current).swap(files))

    def _swap_invalid(self) -> None:
        self._edition += 1
        files = self._texts.of_mount(self._edition)
        name = self._choice.choice(sorted(files))
        files[name] = spoil(name, files[name].decode(), self._choice)
        self._break(MOUNT, lambda: Mount(self._current).swap(files))

    def _write_same_stamp(self) -> None:
        name = self._choice.choice([name for name in PLAIN if self._path(name).exists()])
        path = self._path(name)
        status = path.stat()
        self._overwrite(name)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _touch(self) -> None:
        self._record(self._path(self._any()).touch)

    def _litter(self) -> None:
        path = self._path(self._any())
        litter = self._choice.choice((f".{path.name}.swp", f"{path.name}~", f"#{path.name}#"))
        self._record(lambda: path.with_name(litter).write_bytes(self._choice.randbytes(100)))
        if self._choice.random() < 0.7:
            self._record(path.with_name(litter).unlink)

    def _write_unknown(self) -> None:
        path = self._path("agents.d") / self._choice.choice(("notes.bin", "README.md", "4913"))
        if path.exists() and self._choice.random() < 0.5:
            self._record(path.unlink)
        else:
            self._record(partial(_place, path, self._choice.randbytes(50)))

    def _write_in_new_folder(self) -> None:
        folder = self._path("agents.d") / "new"
        if folder.exists():
            self._record(lambda: shutil.rmtree(folder))
        (folder / "deep").mkdir(parents=True)
        notes = folder / "deep" / "notes.txt"
        self._record(partial(_place, notes, self._choice.randbytes(50)))

    def _turn_release(self) -> None:
        """Makes a copy with an edit in it, and turns the link to the copy, as git-sync does."""
        before = self._current.resolve()
        after = before.with_name(f"release{int(before.name[7:]) + 1}")
        shutil.copytree(before, after, symlinks=True)
        name = self._any()
        (after / name).write_bytes(self._new(name))
        link = self._current.with_name("next")
        link.symlink_to(after)
        self._mend(name, lambda: os.replace(link, self._current))
        shutil.rmtree(before)


def _place(path: Path, data: bytes) -> None:
    """Makes a file of which nobody sees a half."""
    new = path.with_name(f".{path.name}.placed")
    new.write_bytes(data)
    os.replace(new, path)
