"""Telling operators: alerts to the log and to a webhook, off the path of any turn."""
