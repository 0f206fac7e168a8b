"""A small project of the shop's tools, to which a test adds what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interlock.config.source import Source

_SETTINGS = """
providers:
  anthropic:
    apiKey: {{env: ANTHROPIC_API_KEY, default: simulator}}
    baseUrl: {{env: INTERLOCK_MODEL_URL}}
    {provider}
models:
  haiku: {{provider: anthropic, model: claude-haiku-5-5, maxTokens: {tokens}}}
  sonnet: {{provider: anthropic, model: claude-sonnet-5-5, maxTokens: {tokens}}}
environment: {{SHOP_URL: "http://127.0.0.1:9"}}
"""

RETRY = "retry: {attempts: 2, delay: 10ms, maxDelay: 20ms}"
"""Fast retries of model calls, for `provider`."""

_AGENT = """
name: {name}
description: Answers customers about orders.
models: {{plan: haiku, execute: sonnet}}
prompts: {{system: You are the support agent of a shop.}}
tools: [{tools}]
planner: {{replan: {replan}}}
{keys}
"""

_NAMES = ("get_order", "get_parcel", "create_return", "add_note", "call_a_person")

_TOOLS = """
name: get_order
category: lookup
description: Returns one order.
whenToUse: The customer names an order.
input:
  type: object
  properties: {order_id: {type: string, pattern: '^ORD-\\d+$'}}
  required: [order_id]
bind: {customer_id: '{{ session.customerId }}'}
http:
  url: '{{ env.SHOP_URL }}/orders/{{ input.order_id }}'
  headers: {X-Customer-Id: '{{ input.customer_id }}'}
  retry: {attempts: 2, delay: 10ms}
---
name: get_parcel
category: lookup
description: Follows the parcel of one order.
whenToUse: The customer asks where a parcel is.
input:
  type: object
  properties: {order_id: {type: string}}
  required: [order_id]
bind: {customer_id: '{{ session.customerId }}'}
http:
  url: '{{ env.SHOP_URL }}/orders/{{ input.order_id }}/shipment'
  headers: {X-Customer-Id: '{{ input.customer_id }}'}
  retry: {attempts: 2, delay: 10ms}
  maxBytes: 5000000
result: {maxTokens: 400}
---
name: create_return
category: mutation
description: Opens a return.
whenToUse: The customer wants to send goods back.
input:
  type: object
  properties:
    order_id: {type: string}
    items: {type: array, items: {type: string}}
    reason: {type: string}
  required: [order_id, items, reason]
bind: {customer_id: '{{ session.customerId }}'}
http:
  method: POST
  url: '{{ env.SHOP_URL }}/returns'
  headers: {X-Customer-Id: '{{ input.customer_id }}'}
idempotency: {header: Idempotency-Key, key: [order_id, items]}
---
name: add_note
category: mutation
description: Adds a note for the staff, each time anew.
whenToUse: The customer says something that staff should know.
input:
  type: object
  properties: {note: {type: string}}
  required: [note]
bind: {customer_id: '{{ session.customerId }}'}
http:
  method: POST
  url: '{{ env.SHOP_URL }}/crm/notes'
  headers: {X-Customer-Id: '{{ input.customer_id }}'}
---
name: call_a_person
category: escalation
description: Calls a person.
whenToUse: The customer asks for a person.
input:
  type: object
  properties: {reason: {type: string}}
  required: [reason]
"""

STEP = "{type: %s, instruction: %s, tools: [], priority: required, hard: false}"

PLANS = f"""
  - name: plan a change
    when: {{format: plan, user: '^(return|note)', text: '"completedActions":\\[\\]'}}
    reply:
      json:
        steps: [{STEP % ("take_action", "Change it.")}, {STEP % ("respond", "Answer.")}]
  - name: plan a look-up
    when: {{format: plan, user: '^look', text: '"completedActions":\\[\\]'}}
    reply:
      json:
        steps: [{STEP % ("gather_info", "Look it up.")}, {STEP % ("respond", "Answer.")}]
  - name: plan an answer
    when: {{format: plan}}
    reply: {{json: {{steps: [{STEP % ("respond", "Answer.")}]}}}}
"""
"""Rules for the planner: what the message begins with decides what is done before the answer."""

ACTIONS = """
  - name: look for a parcel
    when: {user: '^look for a parcel', text: 'Look it up', offered: [get_parcel]}
    reply: {tools: [{name: get_parcel, input: {order_id: ORD-1001}}]}
  - name: look up an order
    when: {user: '^look', text: 'Look it up', offered: [get_order]}
    reply: {tools: [{name: get_order, input: {order_id: ORD-1001}}]}
  - name: open a return
    when: {user: '^return', text: 'Change it', offered: [create_return]}
    reply: {tools: [{name: create_return,
      input: {order_id: ORD-1002, items: [SKU-1201], reason: it leaks}}]}
  - name: add a note
    when: {user: '^note', text: 'Change it', offered: [add_note]}
    reply: {tools: [{name: add_note, input: {note: '{{ user }}'}}]}
  - name: answer
    reply: {text: 'You said: {{ user }}'}
"""
"""Rules for the executor that goes by these plans."""


def small_project(
    agent: str | Mapping[str, str] = "",
    *,
    provider: str = RETRY,
    tokens: int = 500,
    replan: str = "onChange",
    tools: Mapping[str, str] | None = None,
) -> Source:
    """The project, with further keys of its agent, or of several by name, and of the provider.

    `tokens` is what one model call may write, `tools` are further tools by name.
    """
    more = tools or {}
    agents = {"support": agent} if isinstance(agent, str) else agent
    names = ", ".join((*_NAMES, *more))
    texts = {
        "interlock.yaml": _SETTINGS.format(provider=provider, tokens=tokens),
        "tools.d/shop.yaml": "---".join((_TOOLS, *more.values())),
    }
    for name, keys in agents.items():
        text = _AGENT.format(name=name, tools=names, replan=replan, keys=keys)
        texts[f"agents.d/{name}.yaml"] = text
    return Source({path: text.encode() for path, text in texts.items()})


def write_project(source: Source, folder: Path) -> Path:
    """Writes the project into `folder`, for a service that is a process of its own."""
    for name, data in source.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
