"""The live stream: what happens to an organization's conversations, told as it happens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from channels_app.api.documents import EVENT_ID, MOST_DIGITS, refusals
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.plain_text import cut
from channels_app.problems import ParameterFault, Problem
from claims.api.conversations import REPEATING
from claims.api.listing import ALICES, ListedConversationBody, listed
from claims.api.parties import PartyBody
from claims.listing import MESSAGE_BYTES
from claims.models import Conversation
from claims.stream import admission, frames, log
from claims.stream.admission import Sight
from claims.stream.frames import CONTENT_TYPE, Frame
from claims.stream.hub import MOST_OF_A_PERSON, Full, Hub, TooMany
from claims.stream.listeners import Listener
from claims.stream.log import Entry

# Where the web server says on which event loop it iterates answers; without it, it cannot.
LOOP = "pushbridge.loop"
# Apps that lost the same server come back over this time.
RETRY_MS = (1_000, 4_000)
RETRY_AFTER_SECONDS = 30
_UNKNOWN: int = 10**MOST_DIGITS
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_EXAMPLE = JSONRenderer().render(
    {
        "event_id": 48217,
        "type": "conversation.claimed",
        "occurred_at": "2026-11-23T09:15:04.310000Z",
        "actor": {"id": "person_17", "name": "Alice Smith"},
        "message": None,
        "conversation": ALICES,
    }
)
# As a text, or event by event: how a document of version 3.1 is read, there are two opinions.
_EVENTS = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "id": {"type": "string", "description": "Where to go on from."},
                "event": {"const": "reset", "description": "Only there: load the list again."},
                "data": {"type": "string", "contentMediaType": "application/json"},
                "retry": {"type": "integer", "description": "Milliseconds until you come back."},
            },
        },
    ]
}


class StreamedEventBody(Body):
    """The `data` of one event."""

    event_id = serializers.IntegerField()
    type = serializers.ChoiceField(choices=[(name, name) for name in [*log.CHANGES, *log.WORDS]])
    occurred_at = serializers.DateTimeField(help_text="By the platform's clock.")
    actor = PartyBody(allow_null=True, help_text="The agent who did it, where that is known.")
    message = serializers.CharField(
        allow_null=True, help_text="What was written: by the customer, or by the actor."
    )
    conversation = ListedConversationBody(help_text="As the list has it now, not as it was then.")


class EventStreamRenderer(JSONRenderer):
    """For what is not streamed: errors are JSON here, too."""

    media_type = CONTENT_TYPE
    format = "event-stream"


def compose(entries: Sequence[Entry]) -> list[Frame]:
    """What is sent of these events."""
    return [
        Frame(
            event_id=entry.event.pk,
            organization_id=entry.event.organization_id,
            bot_id=entry.row.conversation.bot_id,
            data=JSONRenderer().render(StreamedEventBody(_told(entry)).data),
        )
        for entry in entries
    ]


def _told(entry: Entry) -> dict[str, Any]:
    data: Mapping[str, Any] = entry.event.payload["data"]
    actor = data.get("agent") or data.get("actor")
    message = None if entry.event.type in REPEATING else data.get("message")
    return {
        "event_id": entry.event.pk,
        "type": entry.event.type,
        "occurred_at": entry.event.occurred_at,
        "actor": {"id": actor["id"], "name": actor.get("name", "")} if actor else None,
        "message": cut(message, MESSAGE_BYTES) if message else None,
        "conversation": listed(entry.row),
    }


_hub = Hub(compose)


class StreamView(MemberView[Conversation]):
    """`/api/v1/<org>/stream/`"""

    tag = "Conversations"
    renderer_classes = [EventStreamRenderer]
    pagination_class = None

    @extend_schema(
        operation_id="conversations_stream",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                str,
                OpenApiParameter.HEADER,
                description="The last `id` that you were sent: what came after it is told first."
                " An `EventSource` that reconnects sends it by itself.",
            ),
            OpenApiParameter(
                "last_event_id",
                EVENT_ID,
                description="The same, for who cannot set a header. The header comes first.",
            ),
        ],
        responses={
            (200, CONTENT_TYPE): OpenApiResponse(
                _EVENTS,
                description="Goes on until you hang up, or for some minutes.",
                examples=[
                    OpenApiExample(
                        "A claim",
                        value=f"retry: 2000\nid: 48213\n\n"
                        f"id: 48213\ndata: {_EXAMPLE.decode()}\n\nid: 48217\n\n",
                        media_type=CONTENT_TYPE,
                    )
                ],
            ),
            **refusals(
                {
                    403: "You may answer no bot's customers, or the token lacks the scope.",
                    406: "You accept no text/event-stream.",
                }
            ),
        },
    )
    def get(self, request: Request, org: str) -> HttpResponseBase:
        """Listen to what happens to conversations

        Server-sent events: each change of a conversation that you see in the list, within a
        second. `data` is JSON: `event_id`, `type` (`conversation.claimed` and the like),
        `occurred_at`, `actor`, `message`, and `conversation`, a whole row of the
        [list](#operation/conversations_list) to put in the place of the one that is shown.

        Open the stream first, then load the list. When it breaks off, come back after `retry`
        milliseconds with the last `id` as `Last-Event-ID`: what was missed is told. An event
        `reset` says that it cannot be: load the list again. An event may come twice. Every 15
        seconds something comes, if only an `id`.

        In the browser `EventSource` comes in with the session's cookie; apps send their bearer
        token. The stream ends when that expires. `docs/stream.md` has code for both.
        """
        after = _last_event_id(request)
        badge = admission.badge(self.membership, request.auth, request.session)
        sight = admission.sights({badge}, now=timezone.now()).get(badge)
        if sight is None:
            raise Problem(HTTPStatus.FORBIDDEN, "You may answer the customers of no bot here.")
        loop = request.META.get(LOOP)
        if loop is None or request.method == "HEAD":
            # A server that cannot stream: what was missed, and goodbye. The app comes back.
            first = self._first(after, sight, log.begin(now=0).bookmark)
            return HttpResponse(first, content_type=CONTENT_TYPE, headers=HEADERS)
        listener = _join(badge, sight, loop)
        try:
            listener.begin_with(self._first(after, sight, _hub.bookmark))
        except BaseException:
            listener.close()
            raise
        return StreamingHttpResponse(listener, content_type=CONTENT_TYPE, headers=HEADERS)

    def _first(self, after: int | None, sight: Sight, bookmark: int) -> bytes:
        """How a stream begins: with what was missed after the last event that the app has."""
        opening = frames.opening(retry_ms=random.randint(*RETRY_MS), bookmark=bookmark)
        if after is None:
            return opening
        try:
            missed = log.missed(after=after, organization_id=self.membership.organization_id)
        except log.TooMuchMissed:
            return opening + frames.reset(reason="too_much", bookmark=bookmark)
        except log.UnknownBookmark:
            return opening + frames.reset(reason="unknown_id", bookmark=bookmark)
        told = [one for one in compose(log.entries(missed)) if sight.shows(one.bot_id)]
        bookmark = max(after, bookmark)
        return frames.opening(retry_ms=random.randint(*RETRY_MS), bookmark=after) + frames.told(
            told, before=after, bookmark=bookmark
        )


def _join(badge: admission.Badge, sight: Sight, loop: Any) -> Listener:
    """Raises Problem: 429, 503."""
    try:
        return _hub.join(badge, sight, loop=loop)
    except TooMany:
        status = HTTPStatus.TOO_MANY_REQUESTS
        detail = f"You have {MOST_OF_A_PERSON} streams here already. Close one."
    except Full:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        detail = "Too many streams at once. Poll the list meanwhile."
    raise Problem(status, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _last_event_id(request: Request) -> int | None:
    """What the app has; of a header that is no id of ours, one that is unknown.

    Raises:
        Problem: 400, the parameter is none.
    """
    header: str | None = request.headers.get("Last-Event-ID")
    text: str | None = header or request.query_params.get("last_event_id")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text)
    if header:
        return _UNKNOWN
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        "The parameter 'last_event_id' cannot be used.",
        faults=[ParameterFault("last_event_id", "must be an `id` of the stream")],
    )
