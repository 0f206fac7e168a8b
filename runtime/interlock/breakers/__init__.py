"""Breakers as state machines: no input or output, and the clock is handed in."""
