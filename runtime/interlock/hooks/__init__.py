"""Plugins: what they can do, how they are found and checked, and how they are called."""
