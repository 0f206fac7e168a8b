"""Telling another system by HTTP, signed, without ever waiting for it."""
