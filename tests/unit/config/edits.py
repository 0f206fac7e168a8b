"""Configurations as documents that can be edited, and loaded as the YAML that people write."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from interlock.config.diff import Change, diff
from interlock.config.load import load
from interlock.config.snapshot import Snapshot
from interlock.config.source import Source
from interlock.cost.prices import price_of
from interlock.guardrails import SETTINGS
from interlock.model.base import JsonObject
from interlock.model.settings import PriceEntry
from interlock.model.usage import Price
from tests.unit.config.project import surroundings

__all__ = [
    "ALL_EDITS",
    "GONE",
    "Edit",
    "Project",
    "changes",
    "edited",
    "edits",
    "meaning",
    "price",
    "project",
    "rewritten",
    "snapshot",
    "with_edit",
]

Path = tuple[str | int, ...]
GONE = type("Gone", (), {"__repr__": lambda self: "GONE"})()
"""What stands for a key that is not there; the same text in every process that runs the tests."""

_YAML = """
interlock.yaml:
  server: {host: 127.0.0.1, port: 8080}
  auth: {keys: [{name: ci, sha256: AAAA}, {name: ops, sha256: BBBB}]}
  providers:
    main:
      apiKey: {env: MAIN_KEY, default: none}
      baseUrl: http://127.0.0.1:9
      headers: {X-Team: bots}
    other: {apiKey: {env: OTHER_KEY, default: none}}
  models:
    haiku: {provider: main, model: claude-haiku-5-5, maxTokens: 1000}
    sonnet: {provider: main, model: claude-sonnet-5-5}
    own: {provider: other, model: own-model, extraBody: {top: [1, 2]}}
  alerts: {webhook: {url: 'http://a', secret: {env: HOOK_SECRET, default: none}}}
  prices: {own-model: {input: 1, output: 2.5}}
  variables: {company: Northwind, 'a.b': 1}
  environment: {SHOP_URL: 'http://127.0.0.1:8090'}
agents:
  support:
    description: Answers customers.
    models: {plan: haiku, execute: sonnet}
    limits: {maxCostUsd: 0.75}
    tools: [get_order, list_orders, cancel_order, call_a_person]
    prompts: {system: 'You work for {{ company }}.', planner: {file: planner.md}}
    reinforcement: [{every: 8, text: Be exact.}, {every: 5, text: Be brief.}]
    guardrails:
      input:
        - {use: max_length, with: {characters: 400}}
        - {use: max_length, with: {characters: 300}}
      output: [{use: max_length}]
    fastPaths:
      - name: order
        match: {patterns: ['^ORD-(?P<id>[0-9]+)$', 'order (?P<id>[0-9]+)']}
        call: {tool: get_order, input: {order_id: '{{ match.id }}'}}
      - name: all
        match: {patterns: [^orders$]}
        call: {tool: list_orders}
  sales:
    description: Sells.
    models: {plan: own, execute: own}
    tools: [get_order, call_a_person]
    prompts: {system: You sell.}
tools:
  get_order:
    category: lookup
    description: Returns one order.
    whenToUse: The customer names an order.
    input:
      type: object
      properties:
        order_id: {type: string, pattern: '^[0-9]+$'}
        state: {enum: [open, 1, '1', null]}
      required: [order_id]
    bind: {customer_id: '{{ session.customerId }}'}
    http:
      url: '{{ env.SHOP_URL }}/orders/{{ input.order_id }}'
      headers: {X-Customer: '{{ input.customer_id }}'}
      query: {state: '{{ input.state }}'}
  list_orders:
    category: search
    description: Lists orders.
    whenToUse: The customer has no number.
    http: {url: '{{ env.SHOP_URL }}/orders'}
  cancel_order:
    category: mutation
    description: Cancels an order.
    whenToUse: The customer wants to cancel.
    input:
      type: object
      properties: {order_id: {type: string}, reason: {type: string, maxLength: 50}}
      required: [order_id, reason]
    http: {method: POST, url: '{{ env.SHOP_URL }}/cancel', body: {order: '{{ input.order_id }}'}}
    idempotency: {header: Idempotency-Key, key: [order_id, reason]}
    loop: {key: [order_id], maxPolls: 5}
  call_a_person:
    category: escalation
    description: Calls a person.
    whenToUse: The customer asks for a person.
"""


@dataclass
class Project:
    """A whole configuration that can be changed before it is loaded."""

    settings: dict[str, Any]
    agents: dict[str, dict[str, Any]]
    tools: dict[str, dict[str, Any]]
    files: dict[str, bytes]


def project() -> Project:
    """A configuration that uses most of what there is."""
    text = _YAML.replace("AAAA", "a" * 64).replace("BBBB", "b" * 64)
    documents = yaml.safe_load(text)
    files = {
        "agents.d/planner.md": b"Plan for {{ company }}.\nBe brief.\n",
        "plugins/x.py": b"X = 1\n",
    }
    return Project(documents["interlock.yaml"], documents["agents"], documents["tools"], files)


@dataclass(frozen=True)
class Edit:
    """One part of a document set to another value, or taken away."""

    folder: str
    """`service`, or `agents` or `tools`."""
    path: Path
    value: Any


def _same(folder: str, table: Mapping[str, Sequence[Any]]) -> list[Edit]:
    return [
        Edit(folder, tuple(int(p) if p.isdigit() else p for p in path.split("/")), value)
        for path, values in table.items()
        for value in values
    ]


ALL_EDITS = [
    *_same(
        "service",
        {
            "server/host": ["localhost", "0.0.0.0", GONE],
            "server/port": [8080, 9090, GONE],
            "server/maxBodyBytes": [262_144, 300_000],
            "server/drainTimeout": ["30s", "45s"],
            "store": [
                {"url": "sqlite:///x.db"},
                {"url": {"env": "STORE", "default": "sqlite:///x.db"}},
            ],
            "auth": [GONE, {"keys": []}],
            "auth/keys/0/sha256": ["c" * 64],
            "auth/keys/1": [GONE, {"name": "new", "sha256": "a" * 64}],
            "providers/main/apiKey/default": ["secret-1", "secret-2", GONE],
            "providers/main/baseUrl": [
                "http://10.0.0.1",
                {"env": "URL", "default": "http://127.0.0.1:9"},
            ],
            "providers/main/headers/X-Team": ["other", GONE],
            "providers/main/timeout": ["60s", "1m", "61s"],
            "providers/main/retry": [{"attempts": 3}, {"attempts": 4}],
            "models/haiku/maxTokens": [1000, 1200],
            "models/haiku/model": ["claude-sonnet-5-5"],
            "models/haiku/provider": ["other"],
            "models/own/extraBody": [{"top": [2, 1]}, {"top": [1, 2], "bottom": None}, GONE],
            "models/spare": [{"provider": "main", "model": "spare"}],
            "prices/own-model/input": [1.0, 0.9, 2],
            "prices/own-model/cacheRead": [0.1, 1],
            "prices/claude-haiku-5-5": [{"input": 1, "output": 5}, {"input": 0, "output": 0}],
            "variables/company": ["Southwind"],
            "variables/a.b": [1.0, True, "1", GONE],
            "environment/SHOP_URL": ["http://127.0.0.1:8091"],
        },
    ),
    *_same(
        "agents",
        {
            "support": [GONE],
            "support/description": ["Helps."],
            "support/models/plan": ["sonnet", "own"],
            "support/models/reason": ["sonnet", "haiku"],
            "support/limits/maxCostUsd": [0.750, 1, GONE],
            "support/limits/maxTokens": [50_000, 60_000],
            "support/limits/turnTimeout": ["1m", "90s"],
            "support/limits/onExhausted": ["complete", "escalate"],
            "support/limits/warnAt": [0.8, 0.9],
            "support/tools/0": [GONE],
            "support/tools/2": [GONE],
            "support/toolSelection": [
                {"max": 5},
                {"max": 6},
                {"steps": {"gather_info": ["search", "lookup"], "take_action": ["mutation"]}},
                {"steps": {"gather_info": ["lookup", "search", "mutation"], "respond": []}},
            ],
            "support/prompts/system": ["Hello.", "You work for {{ company }}.\n"],
            "support/prompts/planner": [GONE, "Plan for {{ company }}.\nBe brief.\n", "Plan."],
            "support/reinforcement/0": [GONE],
            "support/reinforcement/1/every": [6],
            "support/guardrails/input/0": [GONE],
            "support/guardrails/input/1/with/characters": [500],
            "support/guardrails/output/0/with": [{"characters": 5000}, {"characters": 10}],
            "support/guardrails/onViolation": ["revise", "refuse"],
            "support/fastPaths/0": [GONE],
            "support/fastPaths/0/match/patterns": [["^(?P<id>x)$"]],
            "support/fastPaths": [GONE],
            "support/guardrails/output/1": [{"use": "max_length"}],
            "support/replies": [{"failed": "Oh."}],
            "sales/limits": [{"maxTokens": 9000}],
            "sales/models/execute": ["sonnet"],
        },
    ),
    *_same(
        "tools",
        {
            "get_order/input/properties/order_id": [
                {"type": "string"},
                {"const": 1},
                {"const": True},
            ],
            "get_order/input/properties/state/enum": [
                [None, "1", 1, "open"],
                [1.0, "open"],
                ["open"],
            ],
            "get_order/input/required": [GONE, [], ["state", "order_id"]],
            "get_order/input/additionalProperties": [False, True],
            "get_order/input/properties/new": [{"default": {"required": ["b", "a"]}}, True],
            "get_order/input/anyOf": [[{"required": ["state"]}, {"required": ["order_id"]}]],
            "get_order/bind/customer_id": ["{{ session.id }}"],
            "get_order/http/notFound": [[404], [410, 404], [404, 410], []],
            "get_order/http/headers": [GONE],
            "get_order/whenNotToUse": ["Never."],
            "get_order/timeout": ["10s", "20s"],
            "list_orders": [
                {
                    "category": "search",
                    "description": "Lists orders.",
                    "whenToUse": "The customer has no number.",
                    "python": {"function": "plugins/x.py:f"},
                }
            ],
            "cancel_order": [GONE],
            "call_a_person/category": ["escalation"],
            "cancel_order/idempotency": [
                GONE,
                {"header": "Idempotency-Key", "key": ["reason", "order_id"]},
            ],
            "cancel_order/idempotency/key": [["order_id"], []],
            "cancel_order/http/body": [GONE, {}, {"order": "{{ input.reason }}"}],
            "cancel_order/loop": [GONE, {"key": ["order_id"], "maxPolls": 6}],
            "cancel_order/input/properties/reason/maxLength": [40, 60],
        },
    ),
    *(
        Edit("files", (path,), data)
        for path, data in {
            "agents.d/planner.md": b"Plan.",
            "agents.d/unused.md": b"Nobody reads this.",
            "plugins/x.py": b"X = 2\n",
            "plugins/y/z.txt": b"\xff",
        }.items()
    ),
]

edits = st.lists(st.sampled_from(ALL_EDITS), max_size=6)
"""Some edits, of which one may undo another or make the configuration invalid."""


def with_edit(start: Project, path: str, value: Any = GONE) -> Project:
    """A copy in which the part at `FOLDER/...` is another."""
    folder, *rest = path.split("/")
    return edited(start, _same(folder, {"/".join(rest): [value]}))


def edited(start: Project, edits: Sequence[Edit]) -> Project:
    """A copy with the edits made, where what they are to change is there."""
    result = copy.deepcopy(start)
    for edit in edits:
        holder: Any = {
            "service": result.settings,
            "agents": result.agents,
            "tools": result.tools,
            "files": result.files,
        }[edit.folder]
        for part in edit.path[:-1]:
            if isinstance(holder, dict):
                holder = holder.setdefault(part, {})
            elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
                holder = holder[part]
        last: Any = edit.path[-1]
        if isinstance(holder, list):
            if isinstance(last, int) and last < len(holder):
                holder[last : last + 1] = [] if edit.value is GONE else [copy.deepcopy(edit.value)]
        elif isinstance(holder, dict):
            if edit.value is GONE:
                holder.pop(last, None)
            else:
                holder[last] = copy.deepcopy(edit.value)
    return result


def _files(start: Project) -> dict[str, bytes]:
    files = {**start.files, "interlock.yaml": _dump(start.settings)}
    for name, agent in start.agents.items():
        files[f"agents.d/{name}.yaml"] = _dump({"name": name, **agent})
    for name, tool in start.tools.items():
        files[f"tools.d/{name}.yaml"] = _dump({"name": name, **tool})
    return files


def rewritten(start: Project, draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a configuration as somebody else would have written them."""

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = draw(st.permutations(list(value)))
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    def dump(value: Any) -> bytes:
        text = yaml.safe_dump(
            shuffled(value),
            sort_keys=False,
            default_flow_style=draw(st.sampled_from([True, False, None])),
            default_style=draw(st.sampled_from([None, None, "'"])) if _texts(value) else None,
            width=draw(st.sampled_from([40, 1000])),
        )
        return f"# {draw(st.sampled_from(['', 'A remark.']))}\n{text}".encode()

    files = {**start.files, "interlock.yaml": dump(start.settings)}
    for name, agent in start.agents.items():
        order = draw(st.permutations(agent["tools"]))
        files[f"agents.d/{name}.yml"] = dump({**agent, "tools": order, "name": name})
    for name, tool in start.tools.items():
        path = f"tools.d/{draw(st.sampled_from(['a', 'b/c']))}.yaml"
        before = files[path] + b"---\n" if path in files else b""
        files[path] = before + dump({**tool, "name": name})
    return files


def _texts(value: Any) -> bool:
    """Whether there is nothing but texts, so that all can be quoted."""
    if isinstance(value, dict):
        return all(map(_texts, value.values()))
    return all(map(_texts, value)) if isinstance(value, list) else isinstance(value, str)


def _dump(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()


def snapshot(files: Project | Mapping[str, bytes]) -> Snapshot | None:
    """What the real loader makes of it; None if it is not valid."""
    data = _files(files) if isinstance(files, Project) else files
    return load(Source(data), surroundings({"MAIN_KEY": "not shown"})).snapshot


def price(model: str, overrides: Mapping[str, PriceEntry]) -> Price | None:
    """The real prices."""
    return price_of(model, overrides=overrides)


def changes(before: Project, after: Project) -> tuple[Change, ...]:
    """The changes between two configurations, which must be valid."""
    old, new = snapshot(before), snapshot(after)
    assert old is not None
    assert new is not None
    return diff(old, new, price, guardrails=SETTINGS)


def meaning(of: Snapshot) -> JsonObject:
    """What a snapshot means, told without the code under test."""
    agents = {}
    for name, agent in of.agents.items():
        told = json.loads(agent.model_dump_json(by_alias=True))
        texts = of.prompts[name]
        told["prompts"] = [texts.system, texts.planner]
        told["tools"] = sorted(told["tools"])
        steps = told["toolSelection"]["steps"]
        told["toolSelection"]["steps"] = {key: sorted(steps[key]) for key in steps if steps[key]}
        for stage in ("input", "toolCall", "toolResult", "output"):
            for use in told["guardrails"][stage]:
                use["with"] = {"characters": 5000, **use["with"]}
        agents[name] = told
    tools = {}
    for name, tool in of.tools.items():
        told = json.loads(tool.model_dump_json(by_alias=True))
        if told["http"]:
            told["http"]["notFound"] = sorted(told["http"]["notFound"])
        for holder in (told["idempotency"], told["loop"]):
            if holder:
                holder["key"] = sorted(holder["key"])
        schema = told["input"]
        schema.setdefault("additionalProperties", False)
        schema["required"] = sorted(schema.get("required", []))
        for part in schema.get("properties", {}).values():
            if isinstance(part, dict) and "enum" in part:
                part["enum"] = sorted(map(json.dumps, part["enum"]))
        tools[name] = told
    settings = json.loads(of.settings.model_dump_json(by_alias=True))
    settings["auth"]["keys"] = sorted(settings["auth"]["keys"], key=lambda key: str(key["name"]))
    for entry in settings["prices"].values():
        for key, value in entry.items():
            entry[key] = None if value is None else float(value)
    for told in agents.values():
        cost = told["limits"]["maxCostUsd"]
        told["limits"]["maxCostUsd"] = None if cost is None else float(cost)
    plugins = {path: data.hex() for path, data in of.files.items() if path.startswith("plugins/")}
    return {"agents": agents, "tools": tools, "settings": settings, "plugins": plugins}
