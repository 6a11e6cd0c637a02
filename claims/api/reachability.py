"""Who would hear of a bot's customers now, and who would not."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from channels_app import access
from channels_app.api.answers import OUTCOMES
from channels_app.api.fields import Body
from channels_app.api.views import MemberView
from channels_app.models import Bot
from channels_app.problems import Problem
from claims import reachability
from claims.api.parties import PartyBody
from claims.reachability import Person, Reachability


class ReachablePersonBody(Body):
    username = serializers.CharField()
    name = serializers.CharField()
    now = serializers.BooleanField(help_text="A customer's call of this moment would ring.")
    able = serializers.BooleanField(
        help_text="It would at some hour, or a later wave of the ladder would: they may respond,"
        " have a living device that may show banners, and subscribe or are sought out by a wave."
    )
    outcome = serializers.ChoiceField(OUTCOMES, help_text="What would be decided, in a word.")
    sentence = serializers.CharField(help_text="The same in your language, with what decided.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One of two would hear of it",
            response_only=True,
            value={
                "bot": {"id": "bot_x", "name": "Bot X"},
                "off": False,
                "now": 1,
                "able": 2,
                "unreachable_since": None,
                "people": [
                    {
                        "username": "alice",
                        "name": "Alice Jones",
                        "now": True,
                        "able": True,
                        "outcome": "pushed",
                        "sentence": "Alice Jones would be told: critical, on “Alice's iPhone”.",
                    },
                    {
                        "username": "bob",
                        "name": "Bob Smith",
                        "now": False,
                        "able": True,
                        "outcome": "snoozed",
                        "sentence": "Bob Smith would not be told before 10:00: they snoozed.",
                    },
                ],
            },
        )
    ]
)
class ReachabilityBody(Body):
    bot = PartyBody()
    off = serializers.BooleanField(
        help_text="Operators turned the channel off: nobody is to be told of any customer."
    )
    now = serializers.IntegerField(help_text="How many would be told now.")
    able = serializers.IntegerField(help_text="How many could be told at some hour.")
    unreachable_since = serializers.DateTimeField(
        allow_null=True,
        help_text="Since when nobody is able, as far as the operators were alarmed.",
    )
    people = ReachablePersonBody(
        many=True,
        help_text="All whom a call concerns: those who subscribe to the bot, or may respond."
        " Those who would be told come first.",
    )


class ReachabilityView(MemberView[Bot]):
    """`/api/v1/<org>/bots/<bot>/reachability/`"""

    tag = "Bots"
    serializer_class = ReachabilityBody

    @extend_schema(operation_id="bots_reachability")
    def get(self, request: Request, org: str, bot: str) -> Response:
        """Ask who could be told

        Rehearses a customer's call of this moment: who would be told, and of everyone else why not.
        For those who may answer the bot's customers, and for operators; for everyone else there is
        no such bot.
        """
        found = self._bots().filter(external_id=bot).first()
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such bot whose customers are yours.")
        answer = reachability.of_bot(
            found, organization=self.membership.organization, now=timezone.now()
        )
        return Response(ReachabilityBody(_reachability(answer)).data)

    def _bots(self) -> QuerySet[Bot]:
        own = Bot.objects.filter(organization=self.membership.organization_id)
        return own if self.person.is_staff else own.filter(access.responder(self.person.pk))


def _reachability(found: Reachability) -> dict[str, Any]:
    return {
        "bot": {"id": found.bot.external_id, "name": found.bot.name},
        "off": found.off,
        "now": found.told,
        "able": found.able,
        "unreachable_since": found.unreachable_since,
        "people": [_person(person) for person in found.people],
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "username": person.answer.username,
        "name": person.answer.person,
        "now": person.told,
        "able": person.able,
        "outcome": person.answer.outcome,
        "sentence": person.answer.sentence,
    }
