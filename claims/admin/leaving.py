"""What operators do to a conversation for whoever holds it: release, hand back, resolve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from channels_app import access
from channels_app.admin import cells
from channels_app.admin.unfolded import UnfoldAdmin, action
from channels_app.models import Membership
from claims import claiming
from claims.models import Conversation

HELD = (Conversation.State.CLAIMED,)
OPEN = (Conversation.State.CLAIMED, Conversation.State.WAITING)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to leave a conversation, and how it is told that it was done."""

    go: Callable[..., Conversation]
    done: str


RELEASE = Way(
    claiming.release, "Released: it waits for an agent again, and its ladder begins anew."
)
HAND_BACK = Way(claiming.hand_back, "Handed back: the bot talks to the customer again.")
RESOLVE = Way(claiming.resolve, "Resolved.")


class LeavingActions(UnfoldAdmin[Conversation]):
    """The buttons on a conversation's page, as far as its state allows them.

    They are the operators': staff who are members of its organization, as everywhere else; each
    change is told under their name.
    """

    actions_detail = ("release", "hand_back", "resolve")

    def has_leave_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, OPEN)

    def has_release_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, HELD)

    @action(
        description="Release",
        permissions=["release"],
        url_path="release",
        icon="undo",
        dialog={
            "title": "Release this conversation?",
            "description": "It goes back to the pool, and everyone who follows the bot is called.",
            "form_submit_text": "Release",
        },
    )
    def release(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._leave(request, object_id, RELEASE)

    @action(
        description="Hand back to the bot",
        permissions=["leave"],
        url_path="hand-back",
        icon="smart_toy",
        dialog={
            "title": "Hand this conversation back to the bot?",
            "description": "Nobody is called any more. The platform is told, and the bot talks.",
            "form_submit_text": "Hand back",
        },
    )
    def hand_back(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._leave(request, object_id, HAND_BACK)

    @action(
        description="Resolve",
        permissions=["leave"],
        url_path="resolve",
        icon="check",
        dialog={
            "title": "Resolve this conversation?",
            "description": "It is over: the banners are replaced, and the platform is told.",
            "form_submit_text": "Resolve",
        },
    )
    def resolve(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._leave(request, object_id, RESOLVE)

    def _may(self, request: HttpRequest, object_id: str | None, states: tuple[str, ...]) -> bool:
        if not request.user.has_perm("claims.change_conversation"):
            return False
        if object_id is None:
            return True
        row = self.get_object(request, object_id)
        return row is not None and row.state in states and _operator(request, row) is not None

    def _leave(self, request: HttpRequest, object_id: str, way: Way) -> HttpResponse:
        row = self.get_object(request, object_id)
        operator = _operator(request, row) if row is not None else None
        if row is None or operator is None:
            raise Http404
        try:
            way.go(conversation_id=row.pk, membership=operator, operator=True, now=timezone.now())
        except claiming.Conflict as conflict:
            state = conflict.conversation.get_state_display().lower()
            self.message_user(request, f"It is {state} meanwhile.", messages.WARNING)
        else:
            self.message_user(request, way.done, messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": cells.page(row)})


def _operator(request: HttpRequest, row: Conversation) -> Membership | None:
    """Who asks, as an operator of the conversation's organization; None: they are none."""
    own = access.operators([row.organization_id]).filter(user=request.user.pk)
    return own.select_related("user").first()
