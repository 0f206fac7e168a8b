"""The conversations that were used last, as they stand after the latest commit.

Whoever writes to the database alone need not read what it has just written: a turn in a running
conversation begins without a query.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime

from interlock.model.turn import Message, Spent
from interlock.store.records import Conversation
from interlock.turn.ports import LedgerEntry

__all__ = ["LiveConversations"]


class LiveConversations:
    """At most `most` conversations with their messages; the least used one goes first.

    Whatever could leave a conversation in doubt must `forget` it: the next `get` finds nothing,
    and the database is asked.
    """

    def __init__(self, *, most: int = 2000) -> None:
        self._most = most
        self._known: OrderedDict[str, tuple[Conversation, tuple[Message, ...]]] = OrderedDict()

    def get(self, conversation_id: str) -> tuple[Conversation, tuple[Message, ...]] | None:
        """The conversation and its messages, oldest first, if they are known."""
        found = self._known.get(conversation_id)
        if found is not None:
            self._known.move_to_end(conversation_id)
        return found

    def put(self, conversation: Conversation, messages: tuple[Message, ...]) -> None:
        """Keeps a conversation as it was committed."""
        self._known[conversation.id] = (conversation, messages)
        self._known.move_to_end(conversation.id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def add_message(self, conversation_id: str, message: Message, *, at: datetime) -> None:
        """Appends a message that has been committed; `at` is when its turn began or ended."""
        found = self._known.get(conversation_id)
        if found is not None:
            conversation, messages = found
            changed = replace(conversation, updated_at=at)
            self._known[conversation_id] = (changed, (*messages, message))

    def charge(self, entry: LedgerEntry) -> None:
        """Adds what a model call used to what its conversation has spent."""
        found = self._known.get(entry.conversation_id)
        if found is None:
            return
        conversation, messages = found
        spent = Spent(
            conversation.spent.tokens + entry.usage.total,
            conversation.spent.cost_nano + (entry.cost_nano or 0),
        )
        unpriced = conversation.unpriced_calls + (entry.cost_nano is None)
        changed = replace(conversation, spent=spent, unpriced_calls=unpriced)
        self._known[entry.conversation_id] = (changed, messages)

    def forget(self, conversation_id: str) -> None:
        """Drops a conversation of which the database may know better."""
        self._known.pop(conversation_id, None)
