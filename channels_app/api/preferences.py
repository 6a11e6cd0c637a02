"""How loudly the caller wants to hear of what, and what that comes to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import preferences, subscriptions
from channels_app.api import etags
from channels_app.api.changes import one_change
from channels_app.api.channels import ESCALATION, ChannelPreferenceBody, told_of_channel
from channels_app.api.choices import SOURCE_LEVELS, LevelField
from channels_app.api.effective import EventTypeBody, NamedSourceBody, Teller
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.event_types import EventType
from channels_app.models import Source
from channels_app.preferences import SETTABLE, OnlyEscalations
from channels_app.problems import Fault, Problem

DEFAULT = {
    "level": "critical",
    "decided_by": "catalogue",
    "reason": "The default of this type.",
    "advice": "Operators may set another for everybody, members one for themselves.",
    "address": "/api/v1/acme/preferences/types/conversation.human_requested/",
}
OVERALL = {
    "event_type": "conversation.human_requested",
    "channel": "escalation",
    "name": "Customer asks for a human",
    "levels": ["off", "quiet", "loud", "critical"],
    "level": None,
    "effective": DEFAULT,
    "on_failure": None,
}
FROM_SUPPORT = {
    **OVERALL,
    "source": {"kind": "bot", "id": "bot_support", "name": "Support bot"},
    "level": "loud",
    "effective": {
        "level": "loud",
        "decided_by": "source_level",
        "reason": "The personal setting for this type of Support bot.",
        "advice": "Members change it in the app, operators on the member's page.",
        "address": "/api/v1/acme/preferences/types/conversation.human_requested/sources/bot/"
        "bot_support/",
    },
}


@extend_schema_serializer(
    examples=[OpenApiExample("From one bot", value=FROM_SUPPORT, response_only=True)]
)
class EventTypeOfSourceBody(EventTypeBody):
    source = NamedSourceBody()  # type: ignore[assignment]  # the class's own `source` is no field


@extend_schema_serializer(
    examples=[OpenApiExample("As everywhere", value={**OVERALL, "sources": [FROM_SUPPORT]})]
)
class EventTypePreferenceBody(EventTypeBody):
    sources = EventTypeOfSourceBody(many=True, help_text="Those from which you set it differently.")


class SourcePreferenceBody(NamedSourceBody):
    level = LevelField(SOURCE_LEVELS, help_text="Yours for all of it.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Nearly as it is for everyone",
            value={
                "channels": [ESCALATION],
                "event_types": [{**OVERALL, "sources": [FROM_SUPPORT]}],
                "sources": [
                    {"kind": "workflow", "id": "wf_nightly", "name": "Nightly", "level": "off"}
                ],
            },
        )
    ]
)
class PreferencesBody(Body):
    channels = ChannelPreferenceBody(many=True)
    event_types = EventTypePreferenceBody(
        many=True, help_text="Each type that members are told of."
    )
    sources = SourcePreferenceBody(
        many=True, help_text="Bots and workflows with a level of yours for all of them."
    )


@extend_schema_serializer(examples=[OpenApiExample("Silently", value={"level": "quiet"})])
class LevelSettingBody(Body):
    level = LevelField(help_text="Only an escalation can be `critical`.")


class PreferencesViewBase(MemberView[Source]):
    """What the views of preferences share."""

    tag = "Preferences"

    def told(self, row: EventType) -> Any:
        """A type, as `EventTypePreferenceBody`."""
        teller = self._teller()
        return EventTypePreferenceBody(self._of_type(teller, row, self._sources(teller))).data

    def told_of_source(self, row: EventType, source: Source) -> Any:
        """A type from a source, as `EventTypeOfSourceBody`."""
        return EventTypeOfSourceBody(_of_source(self._teller(), row, source)).data

    def told_of_all(self) -> Any:
        """Everything, as `PreferencesBody`."""
        teller = self._teller()
        sources = self._sources(teller)
        return PreferencesBody(
            {
                "channels": [told_of_channel(one) for one in teller.settings.channels.values()],
                "event_types": [self._of_type(teller, row, sources) for row in SETTABLE.values()],
                "sources": [source for source in sources if source.level],
            }
        ).data

    def _teller(self) -> Teller:
        return Teller(self.membership, preferences.load(self.membership))

    def _sources(self, teller: Teller) -> list[Any]:
        """Those for which the member has set anything, by name."""
        rows = subscriptions.sources(membership=self.membership, now=timezone.now())
        wanted = Q(pk__in=teller.settings.source_ids) | Q(level__isnull=False)
        return list(rows.filter(wanted).order_by("name", "pk"))

    def _of_type(self, teller: Teller, row: EventType, sources: list[Any]) -> dict[str, Any]:
        return {
            **teller.of_type(row),
            "sources": [
                _of_source(teller, row, source)
                for source in sources
                if (row.name, source.pk) in teller.settings.levels
            ],
        }


class PreferencesView(PreferencesViewBase):
    """`/api/v1/<org>/preferences/`"""

    serializer_class = PreferencesBody
    pagination_class = None

    @extend_schema(operation_id="preferences_get")
    def get(self, request: Request, org: str) -> Response:
        """My preferences, and what they come to

        Everything of a settings screen: the channels, each type of event with the level at which
        it comes to a subscriber, and whose word that is. The order of words: yours for a type from
        one source, yours for the type, the operators' for the type, the default; and what you set
        for a source as a whole (`sources`) caps, raises or ends what comes of it.

        The types of the workflow channel are its sub-channels: Started, Step transitions, Finished,
        Stuck. Off is the level `off`.
        """
        return Response(self.told_of_all())


class TypePreferenceView(PreferencesViewBase):
    """`/api/v1/<org>/preferences/types/<event type>/`"""

    serializer_class = EventTypePreferenceBody

    def get(self, request: Request, org: str, event_type: str) -> Response:
        """One type of event"""
        return Response(self.told(_settable(event_type)))

    @extend_schema(request=LevelSettingBody)
    def put(self, request: Request, org: str, event_type: str) -> Response:
        """Set the level of a type

        From whatever source; what you set for it from one source keeps the last word there.
        """
        row, level = _settable(event_type), _level(request)
        with one_change(self.membership):
            etags.check_unchanged(request, self.told(row))
            _set_level(membership=self.membership, row=row, source=None, level=level)
        return Response(self.told(row))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, org: str, event_type: str) -> Response:
        """Take my level of a type back

        It is then as the operators have it, or else the default. Right too where none was set.
        """
        row = _settable(event_type)
        with one_change(self.membership):
            etags.check_unchanged(request, self.told(row))
            preferences.reset_level(membership=self.membership, row=row, source=None)
        return Response(status=HTTPStatus.NO_CONTENT)


class SourceTypePreferenceView(PreferencesViewBase):
    """`/api/v1/<org>/preferences/types/<event type>/sources/<kind>/<id>/`"""

    serializer_class = EventTypeOfSourceBody

    def get(self, request: Request, org: str, event_type: str, kind: str, source: str) -> Response:
        """One type of event from one source"""
        row, found = self._found(event_type, kind, source)
        return Response(self.told_of_source(row, found))

    @extend_schema(request=LevelSettingBody)
    def put(self, request: Request, org: str, event_type: str, kind: str, source: str) -> Response:
        """Set the level of a type from one source

        It has the last word on this type from this bot or workflow; but what you set for the
        source as a whole still caps, raises or ends it. You need not subscribe to it yet.
        """
        row, found = self._found(event_type, kind, source)
        level = _level(request)
        with one_change(self.membership):
            etags.check_unchanged(request, self.told_of_source(row, found))
            _set_level(membership=self.membership, row=row, source=found, level=level)
        return Response(self.told_of_source(row, found))

    @extend_schema(responses={204: None})
    def delete(
        self, request: Request, org: str, event_type: str, kind: str, source: str
    ) -> Response:
        """Take my level of a type from one source back

        It is then as from any source. Right too where none was set.
        """
        row, found = self._found(event_type, kind, source)
        with one_change(self.membership):
            etags.check_unchanged(request, self.told_of_source(row, found))
            preferences.reset_level(membership=self.membership, row=row, source=found)
        return Response(status=HTTPStatus.NO_CONTENT)

    def _found(self, event_type: str, kind: str, external_id: str) -> tuple[EventType, Source]:
        """Raises Problem: 404."""
        row = _settable(event_type)
        rows = subscriptions.sources(membership=self.membership, now=timezone.now())
        # The caller's word for the kind may be any text, and a NUL in it no database takes.
        source = rows.filter(kind=preferences.kind(row), external_id=external_id).first()
        if source is None or preferences.kind(row) != kind:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such source of events of this type.")
        return row, source


def _of_source(teller: Teller, row: EventType, source: Source) -> dict[str, Any]:
    return {**teller.of_source(row, source), "source": source}


def _settable(event_type: str) -> EventType:
    """Raises Problem: 404."""
    if event_type not in SETTABLE:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such type that members are told of.")
    return SETTABLE[event_type]


def _level(request: Request) -> Any:
    body = LevelSettingBody(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data["level"]


def _set_level(**change: Any) -> None:
    """Raises Problem: 400."""
    try:
        preferences.set_level(**change)
    except OnlyEscalations:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "This body cannot be used.",
            faults=[Fault("/level", "only an escalation can be critical")],
        ) from None
