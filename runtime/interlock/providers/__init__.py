"""Calling models over the network: one client per provider, failures as data."""
