"""What each channel may do, as the caller has it: break through quiet hours, go to phones only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import preferences
from channels_app.api import choices, etags
from channels_app.api.changes import one_change
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.event_types import Channel
from channels_app.models import ChannelPreference
from channels_app.preferences import CHANNELS, ChannelSetting
from channels_app.problems import Problem
from channels_app.why.reasons import channel_name

ESCALATION = {
    "channel": "escalation",
    "name": "Customer requested human",
    "enabled": True,
    "overrides_quiet_hours": None,
    "breaks_through": True,
    "phone_only": False,
}


@extend_schema_serializer(
    examples=[
        OpenApiExample("Escalations", response_only=True, value=ESCALATION),
        OpenApiExample(
            "Not in my quiet hours", request_only=True, value={"overrides_quiet_hours": False}
        ),
        OpenApiExample("To my phones only", request_only=True, value={"phone_only": True}),
    ]
)
class ChannelPreferenceBody(Body):
    channel = serializers.ChoiceField(choices.CHANNELS, read_only=True)
    name = serializers.CharField(read_only=True, help_text="In the person's language.")
    enabled = serializers.BooleanField(
        read_only=True, help_text="The operators' word: false, nobody is told anything of it."
    )
    overrides_quiet_hours = serializers.BooleanField(
        allow_null=True, help_text="Yours: tell me at once, quiet hours or not. null: unset."
    )
    breaks_through = serializers.BooleanField(
        read_only=True,
        help_text="What follows for your quiet hours: unset, escalations break through them, and"
        " nothing else does.",
    )
    phone_only = serializers.BooleanField(help_text="It goes to your phones, not to browsers.")


class ChannelPreferenceView(MemberView[ChannelPreference]):
    """`/api/v1/<org>/preferences/channels/<channel>/`"""

    tag = "Preferences"
    serializer_class = ChannelPreferenceBody

    def get(self, request: Request, org: str, channel: str) -> Response:
        """One channel"""
        return Response(self._told(channel))

    def patch(self, request: Request, org: str, channel: str) -> Response:
        """Change what a channel may do

        Whether it breaks through your quiet hours (and a snooze of everything), and whether it
        goes to your phones only. What is not sent stays; null takes your word on quiet hours back.
        """
        self._told(channel)
        body = ChannelPreferenceBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        with one_change(self.membership):
            etags.check_unchanged(request, self._told(channel))
            preferences.set_channel(
                membership=self.membership,
                channel=Channel(channel),
                now=timezone.now(),
                **cast(preferences.ChannelChanges, body.validated_data),
            )
        return Response(self._told(channel))

    def _told(self, channel: str) -> Any:
        """Raises Problem: 404."""
        if channel not in CHANNELS:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such channel.")
        settings = preferences.load(self.membership)
        return ChannelPreferenceBody(told_of_channel(settings.channels[Channel(channel)])).data


def told_of_channel(setting: ChannelSetting) -> dict[str, Any]:
    return {
        "channel": setting.channel,
        "name": channel_name(setting.channel),
        "enabled": setting.enabled,
        "overrides_quiet_hours": setting.overrides,
        "breaks_through": setting.breaks_through,
        "phone_only": setting.phone_only,
    }
