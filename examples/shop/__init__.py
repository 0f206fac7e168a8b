"""A small order service with a real database and switchable faults.

The demo's tools call it over HTTP. It knows nothing of Interlock.
"""
