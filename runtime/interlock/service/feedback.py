"""What customers think of the answers."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from interlock.service.access import open_runtime, turn_id
from interlock.service.bodies import body_of, read_body
from interlock.service.metrics import Metrics
from interlock.service.openapi import problems
from interlock.service.people_schemas import NewFeedback
from interlock.service.schemas import FeedbackView
from interlock.service.views import feedback_view
from interlock.store.people_records import Feedback

__all__ = ["router"]

router = APIRouter(prefix="/v1/turns", tags=["turns"])


@router.post(
    "/{id}/feedback",
    responses=problems(400, 404, 413, 415, 422),
    openapi_extra=body_of(NewFeedback),
)
async def give_feedback(request: Request, id: str) -> FeedbackView:
    """Keeps a rating of a turn, in the place of the one before it."""
    store = open_runtime(request).store
    body = await read_body(request, NewFeedback)
    turn = await store.turn(turn_id(id))
    before = (await store.people.feedback(turn.conversation_id)).get(turn.id)
    given = Feedback(turn.id, turn.conversation_id, body.rating, body.text, datetime.now(UTC))
    await store.people.give_feedback(given)
    if before is None:
        # A rating that is changed is still one rating.
        metrics: Metrics = request.app.state.metrics
        metrics.rated(given.rating)
    return feedback_view(given)
