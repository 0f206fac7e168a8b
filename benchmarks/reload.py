"""How long it takes from saving a file until it is active, with many agents and tools.

    python -m benchmarks.reload                          # 200 agents, 500 tools, 30 edits
    python -m benchmarks.reload --agents 20 --tools 50

A real `interlock serve` process follows a generated project. The time of an edit is measured
from the end of the write to the first `GET /v1/config` that shows its digest, asked every few
milliseconds; it includes the quiet time, which is 300 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.figures import percentile
from benchmarks.processes import Server, start
from interlock.config.source import Source, read_tree
from interlock.reload.clients import Clients
from interlock.reload.generation import build

__all__ = ["Figures", "main", "write_project"]

_ASK_SECONDS = 0.005
_GIVE_UP_SECONDS = 60
_TOOLS_PER_FILE = 10
_TOOLS_PER_AGENT = 6

_SETTINGS = """
server: {port: 0}
store: {url: sqlite:///var/bench.db}
providers: {anthropic: {apiKey: {env: KEY, default: none}, baseUrl: "http://127.0.0.1:9"}}
models:
  haiku: {provider: anthropic, model: claude-haiku-4-5, maxTokens: 1500}
  sonnet: {provider: anthropic, model: claude-sonnet-4-6, maxTokens: 2000}
variables: {company: Northwind Outfitters}
"""
_TOOL = """name: %(name)s
category: lookup
description: Returns the %(words)s of a customer.
whenToUse: The customer asks for the %(words)s.
whenNotToUse: Never for anything but the %(words)s.
input:
  type: object
  properties:
    %(input)s_id: {type: string, pattern: '^[A-Z]+-\\d+$', description: The number of the %(input)s}
  required: [%(input)s_id]
bind: {customer_id: '{{ session.customerId }}'}
http:
  url: 'http://127.0.0.1:9/%(name)s/{{ input.%(input)s_id }}'
  headers: {X-Customer-Id: '{{ input.customer_id }}'}
result: {select: '{id: id, status: status}', maxTokens: 800}
"""
_AGENT = """name: agent_%(number)s
description: Answers customers, department %(number)s, edition %(edition)s.
models: {plan: haiku, execute: sonnet}
limits: {maxIterations: 25, maxTokens: 50000, maxCostUsd: 0.5}
tools: [%(tools)s]
prompts:
  system: |
    You are the agent of department %(number)s of {{ company }}, edition %(edition)s.
    Look things up before you answer, never guess, and be brief.
reinforcement:
  - every: 8
    text: Never state what no tool result says.
guardrails:
  input: [{use: max_length, with: {characters: 5000}}]
"""
_WORDS = (
    *("address", "agreement", "balance", "basket", "bill", "bonus", "card", "catalogue", "charge"),
    *("claim", "colour", "complaint", "contract", "coupon", "credit", "currency", "delivery"),
    *("deposit", "discount", "distance", "document", "engine", "expiry", "fabric", "filter"),
    *("garden", "gift", "guarantee", "height", "history", "hotel", "insurance", "invoice"),
    *("journey", "label", "language", "lease", "licence", "loan", "luggage", "machine", "manual"),
    *("material", "meeting", "membership", "message", "meter", "mortgage", "notice", "offer"),
    *("opening", "order", "owner", "parcel", "passport", "payment", "pension", "permit", "phone"),
    *("picture", "plan", "policy", "postcode", "premium", "price", "product", "profile"),
    *("promise", "property", "quality", "quota", "rating", "receipt", "recipe", "refund"),
    *("region", "registration", "rent", "repair", "report", "reservation", "result", "return"),
    *("review", "reward", "route", "salary", "sample", "schedule", "season", "seat", "service"),
    *("shipment", "signature", "size", "source", "stock", "storage", "student", "supplier"),
    *("survey", "tariff", "tax", "ticket", "title", "token", "tracking", "training", "transfer"),
    *("upgrade", "usage", "vehicle", "visit", "voucher", "warehouse", "weather", "weight"),
    *("wheel"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    files: int
    read_ms: float
    first_build_ms: float
    next_build_ms: float
    active_p50_ms: float
    active_p99_ms: float
    memory_mb: float


def write_project(folder: Path, *, agents: int, tools: int) -> None:
    """Writes a project with so many agents and tools, each of them different."""
    choice = random.Random(7)
    names: list[str] = []
    for folder_name in ("agents.d", "tools.d"):
        (folder / folder_name).mkdir(parents=True)
    (folder / "interlock.yaml").write_text(_SETTINGS)
    for first in range(0, tools, _TOOLS_PER_FILE):
        documents = []
        for _ in range(first, min(first + _TOOLS_PER_FILE, tools)):
            words = choice.sample(_WORDS, 4)
            names.append(f"get_{'_'.join(words[:3])}_{len(names)}")
            documents.append(
                _TOOL % {"name": names[-1], "words": " ".join(words), "input": words[3]}
            )
        (folder / "tools.d" / f"tools{first:04}.yaml").write_text("---\n".join(documents))
    for number in range(agents):
        mine = [names[(number * 5 + each * 7) % tools] for each in range(_TOOLS_PER_AGENT)]
        _write_agent(folder, number, mine, edition=0)


def _write_agent(folder: Path, number: int, tools: list[str], *, edition: int) -> None:
    facts = {"number": number, "tools": ", ".join(tools), "edition": edition}
    (folder / "agents.d" / f"agent{number:04}.yaml").write_text(_AGENT % facts)


def _edit(folder: Path, number: int, edition: int) -> str:
    """Edits an agent in place; the digest of the files then."""
    path = folder / "agents.d" / f"agent{number:04}.yaml"
    text = path.read_text()
    path.write_text(text.replace(f"edition {edition - 1}", f"edition {edition}"))
    return read_tree(folder).digest


async def _time_edits(folder: Path, service: Server, *, agents: int, edits: int) -> list[float]:
    seconds = []
    async with aiohttp.ClientSession(service.url) as client:
        await _until_active(client, read_tree(folder).digest)
        editions = [0] * agents
        for edit in range(edits):
            number = edit * 37 % agents
            editions[number] += 1
            saved = time.perf_counter()
            digest = await asyncio.to_thread(_edit, folder, number, editions[number])
            await _until_active(client, digest)
            seconds.append(time.perf_counter() - saved)
    return seconds


async def _until_active(client: aiohttp.ClientSession, digest: str) -> None:
    async with asyncio.timeout(_GIVE_UP_SECONDS):
        while True:
            # The small answer: asking must not be what slows the service down.
            async with client.get("/v1/health") as answer:
                if (await answer.json())["snapshot"] == digest:
                    return
            await asyncio.sleep(_ASK_SECONDS)


def _time_builds(folder: Path) -> tuple[float, float, float]:
    """Seconds to read the files, to build the first generation, and one after an edit."""
    started = time.perf_counter()
    source = read_tree(folder)
    read = time.perf_counter() - started
    clients = Clients()
    started = time.perf_counter()
    build(source, {}, clients=clients)
    first = time.perf_counter() - started
    later = []
    for edition in range(1, 6):
        path = "agents.d/agent0003.yaml"
        text = source.files[path].replace(b"edition 0", f"edition {edition}".encode())
        edited = Source({**source.files, path: text})
        started = time.perf_counter()
        build(edited, {}, clients=clients)
        later.append(time.perf_counter() - started)
    return read, first, percentile(later, 0.5)


def _measure(*, agents: int, tools: int, edits: int) -> Figures:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, agents=agents, tools=tools)
        read, first, later = _time_builds(folder)
        command = ("-m", "interlock.cli.main", "serve", str(folder), "--port", "0")
        with start(*command, log=folder / "bench.log") as service:
            seconds = asyncio.run(_time_edits(folder, service, agents=agents, edits=edits))
            memory = service.memory_mb()
        return Figures(
            files=len(read_tree(folder).files),
            read_ms=read * 1000,
            first_build_ms=first * 1000,
            next_build_ms=later * 1000,
            active_p50_ms=percentile(seconds, 0.5) * 1000,
            active_p99_ms=percentile(seconds, 0.99) * 1000,
            memory_mb=memory,
        )


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--tools", type=int, default=500)
    parser.add_argument("--edits", type=int, default=30)
    args = parser.parse_args()
    figures = _measure(agents=args.agents, tools=args.tools, edits=args.edits)
    table = Table(
        title=f"{args.agents} agents, {args.tools} tools in {figures.files} files; {args.edits}"
        f" edits; load average {os.getloadavg()[0]:.1f}"
    )
    for column in (
        *("read", "first check and build", "the same after an edit"),
        *("save to active p50", "p99", "RSS"),
    ):
        table.add_column(column, justify="right")
    table.add_row(
        f"{figures.read_ms:.0f} ms",
        f"{figures.first_build_ms:.0f} ms",
        f"{figures.next_build_ms:.0f} ms",
        f"{figures.active_p50_ms:.0f} ms",
        f"{figures.active_p99_ms:.0f} ms",
        f"{figures.memory_mb:.0f} MB",
    )
    Console().print(table)


if __name__ == "__main__":
    main()
