"""Carrying a tool call out, over HTTP or in Python, with exactly one honest result for each."""
