"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["tests.postgres"]

# A machine's speed must not fail a test, and a test that passed must pass again: new examples are
# looked for with HYPOTHESIS_PROFILE=explore.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
