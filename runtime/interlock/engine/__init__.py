"""Running turns: the implementations of the `Ctx` port, and what wires them to the rest."""
