"""What is kept: conversations, turns, traces, the ledger and configuration snapshots."""
