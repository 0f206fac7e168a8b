"""A real service under random edits of its files and many conversations at the same time."""
