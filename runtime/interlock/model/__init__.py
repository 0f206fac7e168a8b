"""What things are: agents, tools, plans, results, events, settings. Frozen, and without I/O."""
