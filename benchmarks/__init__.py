"""What a turn costs, measured beside the bare SDK loop. `python -m benchmarks --help` says how."""
