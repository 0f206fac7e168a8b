"""A small project: one agent, a Python tool, and an HTTP tool that waits at a gate."""

from __future__ import annotations

from pathlib import Path

SETTINGS = """
server: {port: 0, maxBodyBytes: 100000, drainTimeout: %(drain)s}
store: {url: sqlite:///var/interlock.db}
auth: {keys: [%(keys)s]}
providers:
  anthropic:
    apiKey: {env: ANTHROPIC_API_KEY}
    baseUrl: {env: MODEL_URL}
models:
  sonnet: {provider: anthropic, model: claude-sonnet-4-6}
"""

AGENT = """
name: support
description: Answers questions about orders.
models: {plan: sonnet, execute: sonnet}
limits: {maxTokens: 200000}
tools: [get_order, wait_at_gate]
prompts: {system: You are the support agent of a shop.}
"""

TOOLS = """
name: get_order
category: lookup
description: Returns the status of one order.
whenToUse: The customer asks for one order.
whenNotToUse: Do not use it to wait.
input:
  type: object
  properties: {order_id: {type: string}}
  required: [order_id]
bind: {customer_id: '{{ session.customerId }}'}
python: {function: plugins/orders.py:get_order}
---
name: wait_at_gate
category: lookup
description: Answers when the gate is opened.
whenToUse: The customer wants to wait.
whenNotToUse: Do not use it for orders.
http: {url: '{{ env.GATE_URL }}/gate'}
timeout: 50s
"""

PLUGIN = """
async def get_order(order_id, customer_id):
    return {"order": order_id, "customer": customer_id, "status": "shipped"}
"""

RULES = r"""
rules:
  - name: plan
    when: {format: Plan}
    reply:
      json:
        steps:
          - {type: gather_info, instruction: Look it up, tools: [], priority: required, hard: false}
          - {type: respond, instruction: Answer, tools: [], priority: required, hard: false}
  - name: wait
    when: {user: '^wait', notCalled: [wait_at_gate], offered: [wait_at_gate]}
    reply: {tools: [{name: wait_at_gate}]}
  - name: waited
    when: {user: '^wait'}
    reply: {text: The gate was opened.}
  - name: look_up
    when: {user: 'ORD-', notCalled: [get_order], offered: [get_order]}
    reply: {tools: [{name: get_order, input: {order_id: ORD-1001}}]}
  - name: looked_up
    when: {results: {get_order: 'shipped'}}
    reply: {text: Your order ORD-1001 was shipped.}
  - name: anything
    reply: {text: How can I help?}
"""


def write_project(folder: Path, *, keys: str = "", drain: str = "30s") -> Path:
    """Writes the project into `folder`; `keys` are entries of `auth.keys` in YAML."""
    files = {
        "interlock.yaml": SETTINGS % {"keys": keys, "drain": drain},
        "agents.d/support.yaml": AGENT,
        "tools.d/tools.yaml": TOOLS,
        "plugins/orders.py": PLUGIN,
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder
