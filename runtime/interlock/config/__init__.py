"""From bytes to a snapshot, or to diagnostics that say what is wrong and where."""
