"""The project that a soak edits: agents of three kinds, tools of two kinds, a plugin, a mount."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALWAYS_THERE", "MOUNT", "PASSING", "PLAIN", "Mount", "Texts", "spoil", "write_project"]

ALWAYS_THERE = (*(f"steady_{number}" for number in range(6)), "mounted_0", "mounted_1")
"""The agents that no valid edit removes, so that customers can always talk to them."""

PASSING = tuple(f"agents.d/passing_{number}.yaml" for number in range(4))
"""Files of agents that may be removed: fewer of all agents than `reload.maxRemoved` allows."""

MOUNT = "agents.d/mounted"
"""A folder as Kubernetes mounts a ConfigMap, with two agents."""

_STEADY = tuple(f"agents.d/{name}.yaml" for name in ALWAYS_THERE if not name.startswith("mounted"))
PLAIN = (
    *("interlock.yaml", "plugins/orders.py", "tools.d/order.yaml", "tools.d/shipping.yaml"),
    *(*_STEADY, *PASSING),
)
"""All files but those of the mount."""

_SETTINGS = """
server: {port: 0}
store: {url: {env: SOAK_STORE_URL}}
providers:
  mock:
    apiKey: {env: SOAK_API_KEY, default: none}
    baseUrl: {env: SOAK_MODEL_URL}
    maxConcurrency: 1000
    timeout: %(timeout)ss
reload: {quiet: %(quiet)sms, resync: %(resync)sms}
variables: {company: "Northwind Outfitters, edition %(edition)06d"}
models: {haiku: &model {provider: mock, model: claude-haiku-5-5}, sonnet: *model}
"""
_AGENT = """
name: %(name)s
description: Answers customers about their orders.
limits: {maxIterations: 10, maxTokens: 400000, maxCostUsd: 5}
tools: [get_order_status, get_shipping_status]
planner: {replan: onChange}
guardrails: {input: [{use: max_length, with: {characters: 5000}}]}
prompts: {system: "You are the support agent of {{ company }}; be brief. Edition %(edition)06d."}
models: {plan: haiku, execute: sonnet}
"""
_TOOL = """
name: get_%(what)s_status
category: lookup
description: %(description)s, edition %(edition)06d.
whenToUse: The customer asks about the %(what)s.
whenNotToUse: Do not use it for anything but the %(what)s.
input:
  type: object
  properties: {order_id: {type: string, description: "Order id, such as A-1001"}}
  required: [order_id]
"""
_DESCRIPTIONS = {
    "order": "Tells whether a purchase has been paid and packed",
    "shipping": "Says where the parcel is now, and with which carrier",
}
_PYTHON = 'python: {function: "plugins/orders.py:get_order_status"}\n'
_HTTP = 'http: {url: "{{ env.SOAK_SHOP_URL }}/parcels/{{ input.order_id }}"}\n'
_PLUGIN = """
def _shop(edition):
    async def get_order_status(order_id):
        return {"id": order_id, "status": "shipped", "edition": edition}
    return get_order_status
get_order_status = _shop(**{"edition": "%(edition)06d"})
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the files say, for rules of `reload` in milliseconds."""

    quiet_ms: int = 300
    resync_ms: int = 2000

    def of(self, name: str, edition: int) -> str:
        """An edition of a file.

        All have the same size, and whatever lacks the last bracket is invalid.
        """
        facts = {"edition": edition, "name": Path(name).stem}
        if name == "interlock.yaml":
            # Another timeout is another client, which has to be closed with its generation.
            times = {"timeout": 50 + edition % 7, "quiet": self.quiet_ms, "resync": self.resync_ms}
            return _SETTINGS % {**facts, **times}
        if name.startswith("plugins/"):
            return _PLUGIN % facts
        if name.startswith("tools.d/"):
            what = Path(name).stem
            words = {"what": what, "description": _DESCRIPTIONS[what]}
            return _TOOL % {**facts, **words} + (_PYTHON if what == "order" else _HTTP)
        return _AGENT % facts

    def of_mount(self, edition: int) -> dict[str, bytes]:
        """An edition of the files of the mount."""
        names = (name for name in ALWAYS_THERE if name.startswith("mounted"))
        return {f"{name}.yaml": self.of(name, edition).encode() for name in names}


def write_project(folder: Path, texts: Texts) -> None:
    """Writes the first edition of all files."""
    for name in PLAIN:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.of(name, 0))
    Mount(folder).swap(texts.of_mount(0))


def spoil(name: str, text: str, choice: random.Random) -> bytes:
    """The text with a mistake in it, such that it is invalid whatever other files hold."""
    data = text.encode()
    common = [
        data[: -choice.randrange(2, 12)],
        b"",
        b"\xff\xfe" + data,
        data + b"\x00",
    ]
    if name.endswith(".py"):
        return choice.choice([*common[:2], data + b"def\n", data + b"raise ValueError('no')\n"])
    return choice.choice(
        [
            *common,
            data + b"unknwonKey: 1\n",
            data + b"\tx: 1\n",
            data + text.splitlines()[1].encode() + b"\n",
        ]
    )


class Mount:
    """The mounted folder: its files are links into a hidden folder, behind one link to it."""

    def __init__(self, project: Path) -> None:
        self._folder = project / MOUNT

    def swap(self, texts: Mapping[str, bytes]) -> None:
        """Replaces all files at once, by the one rename that Kubernetes does too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        link = self._folder / "..data"
        before = link.readlink().name if link.is_symlink() else "..2026_0"
        data = self._folder / f"..2026_{int(before.rpartition('_')[2]) + 1}"
        data.mkdir()
        for name, text in texts.items():
            (data / name).write_bytes(text)
        (self._folder / "..data_tmp").symlink_to(data.name)
        os.rename(self._folder / "..data_tmp", link)
        for name in texts:
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        shutil.rmtree(self._folder / before, ignore_errors=True)
