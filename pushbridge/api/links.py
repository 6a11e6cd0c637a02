"""What a tap opens: from the link of a banner to all that its screen needs, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import links
from channels_app.api.audit_log import AuditLogView
from channels_app.api.fields import Body
from channels_app.api.inbox import InboxView
from channels_app.api.views import ApiView, MemberView
from channels_app.links import Place, Screen
from channels_app.models import User
from channels_app.problems import ParameterFault, Problem
from claims.api.conversations import ConversationView
from workflows.api.runs import RunView

# Longer than any that a banner carries: an id of 128 characters may take 1,536 when it is quoted.
MAXIMUM_LINK = 4096


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a screen gets its content: the address's name, and what its parts are called there."""

    name: str
    view: type[MemberView[Any]]
    schema: str
    """The answer's component in the OpenAPI document."""
    source: str = ""
    subject: str = ""

    def parts(self, place: Place) -> dict[str, str]:
        """The parts of the address of a place."""
        named = {self.source: place.source, self.subject: place.subject, "org": place.organization}
        return {name: value for name, value in named.items() if name}


ENDPOINTS: Mapping[Screen, Endpoint] = {
    Screen.CONVERSATION: Endpoint(
        "conversation", ConversationView, "Conversation", subject="conversation"
    ),
    Screen.AUDIT_LOG: Endpoint(
        "audit-log", AuditLogView, "PaginatedAuditLogEntryList", source="bot"
    ),
    Screen.RUN: Endpoint("run", RunView, "Run", source="workflow", subject="run"),
    Screen.INBOX: Endpoint("inbox", InboxView, "PaginatedNotificationList"),
}


@extend_schema_field(
    {
        # Not oneOf: an empty page may be of the inbox or of an audit log.
        "anyOf": [
            {"$ref": f"#/components/schemas/{endpoint.schema}"} for endpoint in ENDPOINTS.values()
        ],
        "description": "As `api` answers it.",
    }
)
class ContentField(serializers.JSONField):
    """The body of another endpoint."""


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A digest, which opens the inbox",
            response_only=True,
            value={
                "screen": "inbox",
                "organization": "acme",
                "api": "https://push.example.com/api/v1/acme/inbox/",
                "content": {"next": None, "previous": None, "results": []},
            },
        )
    ]
)
class LinkTargetBody(Body):
    screen = serializers.ChoiceField(choices=[(one.value, one.value) for one in Screen])
    organization = serializers.SlugField(help_text="As in `/api/v1/<org>/`.")
    api = serializers.URLField(help_text="Where the screen gets its content again.")
    content = ContentField()


class LinkView(ApiView[User]):
    """`/api/v1/links/`"""

    tag = "Links"
    serializer_class = LinkTargetBody

    @extend_schema(
        operation_id="links_resolve",
        parameters=[
            OpenApiParameter(
                "link",
                OpenApiTypes.URI,
                required=True,
                description="What the tap opened: the `link` of the push, as it is.",
                examples=[
                    OpenApiExample("An inbox", value="https://chat.example.com/o/acme/inbox")
                ],
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Open a link

        From the link of a push to the screen that it opens and all that this screen needs, in one
        request: `content` is what a GET of `api` answers. What you may not see is 404, as it is
        there.
        """
        place = _place(request)
        endpoint = ENDPOINTS[place.screen]
        parts = endpoint.parts(place)
        try:
            address = reverse(endpoint.name, kwargs=parts)
        except NoReverseMatch:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such thing.") from None
        body = {
            "screen": place.screen,
            "organization": place.organization,
            "api": request.build_absolute_uri(address),
            "content": _answer(request, endpoint.view, address, parts),
        }
        return Response(LinkTargetBody(body).data)


def _place(request: Request) -> Place:
    """Raises Problem: 400, which names the parameter."""
    link = request.query_params.get("link", "")
    try:
        if len(link) > MAXIMUM_LINK:
            raise links.NoLinkOfOurs
        return links.parse(link, base=settings.LINK_BASE)
    except links.NoLinkOfOurs:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "The parameter 'link' cannot be used.",
            faults=[ParameterFault("link", "must be the link of a push, as it is")],
        ) from None


def _answer(
    request: Request, view_class: type[MemberView[Any]], address: str, parts: Mapping[str, str]
) -> Any:
    """What a GET of an address answers this caller, by its own checks and limits.

    Raises:
        Problem: what it refuses them with.
    """
    inner = copy(request._request)
    inner.path = inner.path_info = unquote(address)
    inner.META = {**inner.META, "QUERY_STRING": ""}
    inner.GET = QueryDict()
    view = view_class()
    view.setup(inner, **parts)
    view.request = view.initialize_request(inner)
    view.request.user, view.request.auth = request.user, request.auth
    view.initial(view.request, **parts)
    answer: Response = view.get(view.request, **parts)  # type: ignore[attr-defined]  # each has it
    return answer.data
