"""A web server of somebody else's that is told what happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from interlock.model.base import Document, Duration, SecretRef, ValueOrEnv

__all__ = ["Webhook"]


class Webhook(Document):
    """Where notices are sent, each as JSON by a signed POST."""

    url: ValueOrEnv = Field(examples=["https://alerts.example.com/interlock"])
    """The address."""
    secret: SecretRef
    """Signs each request, so that the receiver knows where it comes from."""
    timeout: Duration = timedelta(seconds=10)
    """How long one attempt may take."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 6
    """How often a notice is sent that is not taken, the first time included."""
