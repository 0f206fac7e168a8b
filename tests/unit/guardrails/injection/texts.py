"""The texts that the tests judge, written for them and kept in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from interlock.turn.guard import Stage

FOLDER = Path(__file__).parent


class Attack(NamedTuple):
    stage: Stage
    idea: str
    text: str


def lines(name: str) -> list[str]:
    return (FOLDER / name).read_text("utf-8").splitlines()


def _attack(line: str) -> Attack:
    channel, idea, text = line.split("\t")
    stage: Stage = "input" if channel == "user" else "tool_result"
    return Attack(stage, idea, text.replace("\\n", "\n"))


ORDINARY_MESSAGES = lines("ordinary_messages.txt")
ORDINARY_RESULTS = lines("ordinary_results.txt")
ATTACKS = [_attack(line) for line in lines("attacks.txt")]
