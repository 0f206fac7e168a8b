"""The loop: a customer's message becomes a reply. Deterministic, apart from its `Ctx` port."""
