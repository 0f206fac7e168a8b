"""From a snapshot to a running generation."""
