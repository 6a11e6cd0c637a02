"""The noise advisor, for operators: what went out last week, and which setting would spare whom."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import advisor
from channels_app.advisor import Advice, Judgement, Knob, Line, Report, Silence
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.limits import Limit
from channels_app.models import Organization, Source
from channels_app.problems import Problem
from channels_app.type_names import type_name

TALLY = {
    "pushed": 1255,
    "told": 1240,
    "people": 14,
    "banners": 1490,
    "rings": 0,
    "known": 1240,
    "opened": 5,
    "read": 40,
}
LEADS = {"kind": "workflow", "id": "wf_leads", "name": "Lead enrichment"}


class TallyBody(Body):
    pushed = serializers.IntegerField(help_text="What the rules sent to somebody's devices,")
    told = serializers.IntegerField(
        help_text="and what got there. One event for one person counts once."
    )
    people = serializers.IntegerField(help_text="Who was told.")
    banners = serializers.IntegerField(help_text="What push services took, device by device.")
    rings = serializers.IntegerField(help_text="Of these, the loud and the critical ones.")
    known = serializers.IntegerField(
        help_text="Of what was told: to people whose app sent receipts in these days."
    )
    opened = serializers.IntegerField(
        help_text="Of those: a banner was tapped, or a button of it used."
    )
    read = serializers.IntegerField(
        help_text="Of those: read in the inbox, also with all others. A weaker sign."
    )


class ToldSourceBody(Body):
    kind = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in Source.Kind])
    id = serializers.CharField(source="external_id", help_text="The platform's id.")
    name = serializers.CharField()


class SentBody(Body):
    event_type = serializers.CharField()
    name = serializers.CharField(help_text="What people call this type, in your language.")
    source = ToldSourceBody(  # type: ignore[assignment]  # REST framework takes it away
        allow_null=True, help_text="null: none, as of a digest."
    )
    events = serializers.IntegerField(help_text="How many there were, told to anybody or not.")
    judgement = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Judgement],
        help_text="`rarely`: surely less than one in twenty is opened (at 95 %). `often`: surely"
        " more. `unsure`: too little to tell.",
    )
    levels = serializers.DictField(
        child=serializers.IntegerField(), help_text="Banners by level: `quiet`, `loud`, `critical`."
    )
    tally = TallyBody()


class AdvisedOptionBody(Body):
    value = serializers.CharField(
        help_text="A level; a threshold; of a `stuck_factor` what to multiply it by."
    )
    banners_saved = serializers.IntegerField(
        help_text="So many of these days' banners would not have been shown at all,"
    )
    rings_saved = serializers.IntegerField(
        help_text="and so many would have made no sound, those included."
    )


class AdviceBody(Body):
    setting = serializers.ChoiceField(
        choices=[(knob.value, knob.value) for knob in Knob],
        help_text="`type_policy`: the organization's level for a type. `source_level`,"
        " `subscription`: what each member sets for a type of one source, or for all of it."
        " `unanswered_threshold`, `tone_minimum`: of the bot. `stuck_factor`: of the workflow.",
    )
    event_type = serializers.CharField(allow_null=True, help_text="null: all of the source.")
    source = ToldSourceBody(  # type: ignore[assignment]  # REST framework takes it away
        allow_null=True, help_text="null: whatever the source."
    )
    options = AdvisedOptionBody(many=True, help_text="The one that saves most comes first.")
    tally = TallyBody(help_text="What speaks for it, where it is about levels.")
    count = serializers.IntegerField(
        help_text="Where it is about a threshold: how many calls or alarms there were,"
    )
    needless = serializers.IntegerField(help_text="and for how many of them nobody was needed.")
    own_banners = serializers.IntegerField(
        help_text="Banners that it leaves: their readers have set a level of their own."
    )


class MissedBody(Body):
    source = ToldSourceBody()  # type: ignore[assignment]  # REST framework takes it away
    calls = serializers.IntegerField(help_text="Escalations that are more than an hour old.")
    missed = serializers.IntegerField(
        help_text="Of these: nobody opened or claimed it, and it is not over."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Steps that nobody opens",
            response_only=True,
            value={
                "since": "2026-11-16T12:00:00Z",
                "total": TALLY,
                "advice": [
                    {
                        "setting": "type_policy",
                        "event_type": "workflow.step_completed",
                        "source": None,
                        "options": [{"value": "off", "banners_saved": 1490, "rings_saved": 0}],
                        "tally": TALLY,
                        "count": 0,
                        "needless": 0,
                        "own_banners": 0,
                    }
                ],
                "more_advice": 0,
                "silence": None,
                "missed": [],
                "sent": [
                    {
                        "event_type": "workflow.step_completed",
                        "name": "Step transitions",
                        "source": LEADS,
                        "events": 96,
                        "judgement": "rarely",
                        "levels": {"quiet": 1490},
                        "tally": TALLY,
                    }
                ],
                "more_sent": 0,
            },
        )
    ]
)
class AdvisorBody(Body):
    since = serializers.DateTimeField(
        help_text="Seven days ago, from a full hour (UTC) on; until now."
    )
    total = TallyBody()
    advice = AdviceBody(many=True, help_text="What would have saved most comes first.")
    more_advice = serializers.IntegerField(help_text="How much is left out.")
    silence = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Silence],
        allow_null=True,
        help_text="Why there is no advice about levels: nothing was sent, no app sent receipts,"
        " too little went out to judge it, or it is worth it. null: there is some.",
    )
    missed = MissedBody(many=True, help_text="No noise: customers nobody came to, by bot.")
    sent = SentBody(many=True, help_text="By type and source, the noisiest first.")
    more_sent = serializers.IntegerField(help_text="How many rows are left out.")


class AdvisorView(MemberView[Organization]):
    """`/api/v1/<org>/advisor/`"""

    tag = "Advisor"
    serializer_class = AdvisorBody
    # It reads a week's banners.
    limits = (Limit("advisor", 20, 60),)

    @extend_schema(operation_id="advisor_get")
    def get(self, request: Request, org: str) -> Response:
        """Ask the noise advisor

        For operators: what went out in the last seven days and how much of it was opened, by type
        of event and source, and which setting would have spared people what they do not open. What
        would be saved is counted on these very banners, judged again as if the setting had been
        another. Escalations are never advised to be quieter.
        """
        if not (self.person.is_staff and self.person.has_perm("chatbot.view_notification")):
            raise Problem(HTTPStatus.FORBIDDEN, "Only operators may ask the advisor.")
        found = advisor.report(organization_id=self.membership.organization_id, now=timezone.now())
        return Response(AdvisorBody(_report(found)).data)


def _report(found: Report) -> dict[str, Any]:
    return {
        "since": found.since,
        "total": asdict(found.total),
        "advice": [_advice(one, found) for one in found.advice],
        "more_advice": found.more_advice,
        "silence": found.silence,
        "missed": [
            {"source": source, "calls": one.calls, "missed": one.missed}
            for one in found.missed
            if (source := found.sources.get(one.source_id)) is not None
        ],
        "sent": [_sent(line, found) for line in found.lines],
        "more_sent": found.more_lines,
    }


def _advice(given: Advice, found: Report) -> dict[str, Any]:
    return {
        "setting": given.knob,
        "event_type": given.type or None,
        "source": _source(given.source_id, found),
        "options": [
            {
                "value": option.value,
                "banners_saved": option.banners,
                "rings_saved": option.rings,
            }
            for option in given.options
        ],
        "tally": asdict(given.tally),
        "count": given.count,
        "needless": given.needless,
        "own_banners": given.own_banners,
    }


def _sent(line: Line, found: Report) -> dict[str, Any]:
    return {
        "event_type": line.type,
        "name": type_name(line.type),
        "source": _source(line.source_id, found),
        "events": line.events,
        "judgement": line.tally.judgement,
        "levels": {level.value: count for level, count in line.levels.items()},
        "tally": asdict(line.tally),
    }


def _source(source_id: int | None, found: Report) -> Source | None:
    return None if source_id is None else found.sources.get(source_id)
