"""Examples that run for real: the demo and the end-to-end tests use them."""
