"""The answers of `why`, as the API tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from channels_app.api.choices import LevelField
from channels_app.api.fields import Body
from channels_app.models import Attempt, Delivery, Receipt
from channels_app.routing import Outcome
from channels_app.why import NoOutcome
from channels_app.why.answers import Answered, Imagined

OUTCOMES = [(one.value, one.value) for one in Outcome]
ANSWERS = [*OUTCOMES, *((one.value, one.value) for one in NoOutcome)]

RUNGS: list[dict[str, Any]] = [
    {"outcomes": ["actor"], "question": "Is it their own doing?", "answered": "passed"},
    {"outcomes": ["snoozed"], "question": "Is it snoozed?", "answered": "passed"},
    {"outcomes": ["held"], "question": "Are these quiet hours?", "answered": "decided"},
    {"outcomes": ["pushed"], "question": "Then it is pushed", "answered": "not_asked"},
]
QUIET_HOURS = {
    "name": "quiet_hours",
    "words": "the quiet hours",
    "advice": "Members change it in the app, operators on the member's page.",
    "api": "/api/v1/acme/quiet-hours/",
    "admin": None,
}
DEFAULT = {
    "setting": "catalogue",
    "words": "the default of this type",
    "level": "loud",
    "decides": True,
}
PHONE = "6f1c1f5e-8a55-4d0c-9f3a-1f9a3a7b2c11"


class SettingBody(Body):
    name = serializers.CharField(source="setting")
    words = serializers.CharField(help_text="What it is.")
    advice = serializers.CharField(help_text="Who changes it, and where.")
    api = serializers.CharField(
        allow_null=True, help_text="Its address, for the member; null: it is the operators' alone."
    )
    admin = serializers.CharField(
        allow_null=True, help_text="Its page in the admin; for operators only."
    )


class RungBody(Body):
    outcomes = serializers.ListField(
        child=serializers.ChoiceField(OUTCOMES),
        help_text="What it would have come to, had this question applied.",
    )
    question = serializers.CharField()
    answered = serializers.ChoiceField([one.value for one in Answered])


class LevelWordBody(Body):
    setting = serializers.CharField()
    words = serializers.CharField(help_text="Whose word it is.")
    level = LevelField(allow_null=True, help_text="null: it is not set.")
    decides = serializers.BooleanField(help_text="It has the last word.")


class AttemptBody(Body):
    number = serializers.IntegerField()
    verdict = serializers.ChoiceField([one.value for one in Attempt.Verdict])
    status = serializers.IntegerField(allow_null=True, help_text="The push service's.")
    reason = serializers.CharField(help_text="The push service's word.")
    sent_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField()


class ReportedReceiptBody(Body):
    kind = serializers.ChoiceField([one.value for one in Receipt.Kind])
    action = serializers.CharField(help_text="The button, where it was one.")
    occurred_at = serializers.DateTimeField(help_text="By the device's clock.")


class DeviceReportBody(Body):
    device = serializers.UUIDField(
        source="installation_id", allow_null=True, help_text="null: it is gone."
    )
    name = serializers.CharField()
    state = serializers.ChoiceField(
        [*(one.value for one in Delivery.State), *(one.value for one in Imagined)],
        help_text="That of the delivery. Of what is imagined: `would_push`, or why not.",
    )
    sentence = serializers.CharField()
    reason = serializers.CharField(help_text="The last answer's word.")
    downgraded = serializers.BooleanField(
        help_text="Critical, but not there: the app or the device does not allow critical alerts."
    )
    milliseconds = serializers.IntegerField(
        allow_null=True, help_text="Until the push service took it, from when the event came in."
    )
    created_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptBody(many=True)
    receipts = ReportedReceiptBody(many=True)


class HeldBody(Body):
    until = serializers.DateTimeField(help_text="When it is, or was, judged again.")
    released_at = serializers.DateTimeField(allow_null=True, help_text="null: it still waits.")
    digest = serializers.IntegerField(
        source="digest_id", allow_null=True, help_text="The event whose banner told of it."
    )
    count = serializers.IntegerField(help_text="Of how many things that banner told.")


class NowBody(Body):
    sentence = serializers.CharField()
    outcome = serializers.ChoiceField(ANSWERS)
    level = LevelField(allow_null=True)
    setting = SettingBody(source="place", allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Held for the morning",
            response_only=True,
            value={
                "sentence": "You were not told at 03:12 (Europe/Berlin) because quiet hours run"
                " until 07:00; it is kept, and judged again then.",
                "outcome": "held",
                "level": "loud",
                "setting": QUIET_HOURS,
                "imagined": False,
                "event": 48214,
                "notification": 90072,
                "type": "bot.tool_linked",
                "source": "bot_x",
                "user": "alice",
                "at": "2026-11-24T02:12:00.214000Z",
                "time_zone": "Europe/Berlin",
                "data": None,
                "ladder": RUNGS,
                "levels": [DEFAULT],
                "devices": [],
                "held": {
                    "until": "2026-11-24T06:00:00Z",
                    "released_at": None,
                    "digest": None,
                    "count": 0,
                },
                "now": None,
            },
        )
    ]
)
class AnswerBody(Body):
    sentence = serializers.CharField(help_text="The whole answer, in the caller's language.")
    outcome = serializers.ChoiceField(
        ANSWERS,
        help_text="What was decided; `not_a_candidate` and those after it: nothing was.",
    )
    level = LevelField(allow_null=True)
    setting = SettingBody(
        source="place",
        allow_null=True,
        help_text="What decided. null: nothing that could be changed.",
    )
    imagined = serializers.BooleanField(help_text="Rehearsed, not recorded.")
    event = serializers.IntegerField(source="event_id", allow_null=True)
    notification = serializers.IntegerField(source="notification_id", allow_null=True)
    type = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # REST framework takes it away
        help_text="The platform's id of the bot or workflow."
    )
    user = serializers.CharField(source="username")
    at = serializers.DateTimeField(help_text="When it was decided.")
    time_zone = serializers.CharField(help_text="The person's: the sentence is by its clock.")
    data = serializers.DictField(  # type: ignore[assignment]  # REST framework takes it away
        allow_null=True, help_text="What was imagined; else null."
    )
    ladder = RungBody(many=True, help_text="Every question, in the order in which they are asked.")
    levels = LevelWordBody(
        many=True,
        help_text="What each setting says about the level now; what is set for the source as a"
        " whole comes last, and changes what the others came to.",
    )
    devices = DeviceReportBody(many=True)
    held = HeldBody(source="holding", allow_null=True)
    now = NowBody(allow_null=True, help_text="What would be decided now; null: the same.")
