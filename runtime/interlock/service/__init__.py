"""The HTTP API: conversations, turns and traces, configuration and health."""
