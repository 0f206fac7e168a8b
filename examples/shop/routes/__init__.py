"""The HTTP endpoints, a module for each kind of resource: its SQL and its routes."""
