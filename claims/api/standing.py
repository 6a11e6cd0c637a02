"""How a conversation stands: what every change of it answers, and what refuses one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request

from channels_app import access
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.models import Bot, User
from channels_app.problems import Problem
from claims.api.parties import HolderBody, holder
from claims.claiming import Conflict
from claims.models import Conversation

State = Conversation.State

CLAIMED = {
    "id": "conv_1001",
    "state": "claimed",
    "epoch": 1,
    "holder": {"user_id": 7, "id": "person_17", "name": "Alice Smith"},
    "claimed_at": "2026-11-23T09:15:04.310000Z",
    "lease_until": "2026-11-23T09:45:04.310000Z",
    "waiting_since": None,
    "changed_at": "2026-11-23T09:15:04.310000Z",
}
NOT_YOURS = "There is no such conversation that is yours."
NO_RESPONDER = "You may not answer the customers of this bot."
TAKEN = Problem(
    HTTPStatus.CONFLICT,
    "Alice Smith has it.",
    extra={
        "state": "claimed",
        "epoch": 1,
        "holder": {"user_id": 7, "id": "person_17", "name": "Alice Smith"},
        "since": "2026-11-23T09:15:04.310000Z",
    },
)


@extend_schema_serializer(
    examples=[OpenApiExample("Claimed by Alice", response_only=True, value=CLAIMED)]
)
class ConversationStandingBody(Body):
    id = serializers.CharField(help_text="The platform's id.")
    state = serializers.ChoiceField(choices=State.choices)
    epoch = serializers.IntegerField(
        help_text="The round of escalation. A banner of an earlier round cannot claim this one."
    )
    holder = HolderBody(allow_null=True, help_text="Who has claimed it; null: nobody.")
    claimed_at = serializers.DateTimeField(allow_null=True)
    lease_until = serializers.DateTimeField(
        allow_null=True,
        help_text="The claim goes back to the pool then, unless it is used. null: it does not.",
    )
    waiting_since = serializers.DateTimeField(
        allow_null=True, help_text="null: the customer does not wait."
    )
    changed_at = serializers.DateTimeField(
        help_text="When it last changed: by our clock here, by the platform's there."
    )


def standing(row: Conversation) -> dict[str, Any]:
    """The members of a `ConversationStandingBody`; the row's holder is loaded."""
    return {
        "id": row.external_id,
        "state": row.state,
        "epoch": row.epoch,
        "holder": holder(row),
        "claimed_at": row.claimed_at,
        "lease_until": row.lease_until,
        "waiting_since": row.waiting_since if row.state == State.WAITING else None,
        "changed_at": row.changed_at,
    }


class ConversationBaseView(MemberView[Conversation]):
    """An endpoint of one conversation.

    Attributes:
        responds: whether the caller may answer the customers of its bot.
        found: the conversation, with its bot and its holder.
    """

    tag = "Conversations"
    responds: bool
    found: Conversation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises Problem: 404 where it is none that the caller may answer, holds, or operates."""
        super().initial(request, *args, **kwargs)
        self.membership.user = self.person
        found = (
            Conversation.objects.select_related("bot", "holder__user")
            .filter(
                organization=self.membership.organization_id, external_id=kwargs["conversation"]
            )
            .first()
        )
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS)
        self.found = found
        self.responds = may_respond(self.person, found)
        if not (self.responds or self.person.is_staff or found.holder_id == self.membership.pk):
            raise Problem(HTTPStatus.NOT_FOUND, NOT_YOURS)


def may_respond(person: User, row: Conversation) -> bool:
    """Whether a person may answer the customers of a conversation's bot. One query."""
    return Bot.objects.filter(access.responder(person.pk), pk=row.bot_id).exists()


def refused(conflict: Conflict) -> Problem:
    """409: how it stands instead, who has it, and since when."""
    row = conflict.conversation
    moment = serializers.DateTimeField().to_representation(conflict.since)
    return Problem(
        HTTPStatus.CONFLICT,
        _sentence(conflict),
        extra={"state": row.state, "epoch": row.epoch, "holder": holder(row), "since": moment},
    )


def _sentence(conflict: Conflict) -> str:
    match conflict.conversation.state:
        case State.CLAIMED:
            name = conflict.holder.name if conflict.holder else ""
            return f"{name or 'Somebody on the platform'} has it."
        case State.WITH_BOT:
            return "It is back with the bot."
        case State.RESOLVED:
            return "It is resolved."
    if conflict.superseded:
        return "This call is of an earlier round; the customer waits again."
    return "Nobody has it: the customer waits."
