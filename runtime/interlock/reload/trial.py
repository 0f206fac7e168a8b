"""A canary under way: which conversations it gets, and how their turns compare."""

from __future__ import annotations

import asyncio
import hashlib

from interlock.config.source import Source
from interlock.model.canary import Canary
from interlock.model.turn import TurnResult
from interlock.reload.held import Held
from interlock.reload.request import Request
from interlock.reload.verdict import Arm, Verdict, judge
from interlock.store.records import Conversation

__all__ = ["Trial"]

_ALL = 2**64


class Trial:
    """A configuration that serves a share of the new conversations, and what came of it."""

    def __init__(self, held: Held, *, request: Request, source: Source, rules: Canary) -> None:
        self.held = held
        self.request = request
        """Who asked for the configuration."""
        self.source = source
        self.rules = rules
        """Those of the configuration that was active when the trial began."""
        self.until = held.since + rules.for_
        """When it is promoted if nothing speaks against it."""
        self.active = Arm()
        """New conversations on the active configuration."""
        self.canary = Arm()
        """New conversations on the one that is tried."""
        self._clock = asyncio.get_running_loop().time
        self._started = self._clock()
        self._counted = asyncio.Event()

    def takes(self, conversation: Conversation) -> bool:
        """Whether a conversation runs on the canary; the answer never changes.

        It follows from the conversation's id, so nothing has to be kept, and those that began
        before the canary stay where they are.
        """
        if not self._is_new(conversation):
            return False
        if conversation.agent not in self.held.generation.snapshot.agents:
            return False
        # With the digest, so that the next canary gets other conversations.
        name = f"{self.held.digest}:{conversation.id}".encode()
        drawn = int.from_bytes(hashlib.sha256(name).digest()[:8])
        return drawn < self.rules.share * _ALL

    def count(self, held: Held, conversation: Conversation, result: TurnResult) -> None:
        """Counts a turn that has ended on `held`.

        Conversations that are older than the canary are left out on both sides: theirs are the
        long, expensive ones.
        """
        if not self._is_new(conversation):
            return
        arm = self.canary if held is self.held else self.active
        arm.add(result)
        self._counted.set()

    def verdict(self) -> Verdict:
        """What is to be done by what is known now."""
        elapsed = self._clock() - self._started
        return judge(self.rules, active=self.active, canary=self.canary, elapsed_seconds=elapsed)

    async def decided(self) -> Verdict:
        """The verdict, as soon as it is not to wait."""
        while True:
            self._counted.clear()
            verdict = self.verdict()
            if verdict.action != "wait":
                return verdict
            left = self._started + self.rules.for_.total_seconds() - self._clock()
            try:
                async with asyncio.timeout(left):
                    await self._counted.wait()
            except TimeoutError:
                continue

    def _is_new(self, conversation: Conversation) -> bool:
        return conversation.created_at >= self.held.since
