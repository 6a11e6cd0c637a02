"""Effective levels as the API tells them: the level, whose word it is, and where to change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import pgettext
from rest_framework import serializers

from channels_app import effective_levels, preferences
from channels_app.api.choices import CHANNELS, SOURCE_KINDS, LevelField
from channels_app.api.fields import Body
from channels_app.effective_levels import EffectiveLevel, Words
from channels_app.event_types import EventType
from channels_app.levels import Level
from channels_app.models import Membership, Source
from channels_app.preferences import SETTABLE, Settings
from channels_app.routing import Outcome, Setting
from channels_app.type_names import type_name
from channels_app.why.places import Whereabouts, place
from channels_app.why.reasons import Facts, reason
from channels_app.why.sentences import whose

_UTC = ZoneInfo("UTC")


class EffectiveLevelBody(Body):
    level = LevelField(help_text="How loudly it comes to a subscriber. `off`: it does not come.")
    decided_by = serializers.ChoiceField(
        [
            (setting.value, setting.value)
            for setting in (
                Setting.CATALOGUE,
                Setting.TYPE_POLICY,
                Setting.TYPE_LEVEL,
                Setting.SOURCE_LEVEL,
                Setting.SUBSCRIPTION,
                Setting.CHANNEL_POLICY,
                Setting.RESPOND,
            )
        ],
        help_text="The setting that has the last word: `catalogue`, the default of the type;"
        " `type_policy`, the operators' level for it; `type_level`, yours; `source_level`, yours"
        " for it from this source; `subscription`, yours for all of this source;"
        " `channel_policy`, the operators turned the channel off; `chatbot.respond`, you lack"
        " that permission on the bot.",
    )
    reason = serializers.CharField(help_text="The same in words, in the person's language.")
    advice = serializers.CharField(help_text="Who can change that, and where: a sentence.")
    address = serializers.CharField(
        allow_null=True,
        help_text="Where you can change that (PUT, DELETE); null: only operators can.",
    )


class EventTypeBody(Body):
    event_type = serializers.CharField()
    channel = serializers.ChoiceField(CHANNELS)
    name = serializers.CharField(
        help_text="In the person's language; in the workflow channel that of the sub-channel."
    )
    levels = serializers.ListField(child=LevelField(), help_text="What it may be set to.")
    level = LevelField(allow_null=True, help_text="What you have set. null: nothing.")
    effective = EffectiveLevelBody()
    on_failure = EffectiveLevelBody(
        allow_null=True, help_text="What comes of a failed run, where that may be louder."
    )


class NamedSourceBody(Body):
    kind = serializers.ChoiceField(SOURCE_KINDS)
    id = serializers.CharField(source="external_id", help_text="The platform's id.")
    name = serializers.CharField()


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells a member what their settings come to. Sources are rows of `subscriptions.sources`."""

    membership: Membership
    settings: Settings

    def of_type(self, row: EventType) -> dict[str, Any]:
        """From whatever source, as `EventTypeBody`."""
        own = self.settings.levels.get((row.name, None))
        return self._told(row, own, Words(of_type=own), None)

    def of_source(self, row: EventType, source: Any) -> dict[str, Any]:
        """From one source, as `EventTypeBody`."""
        own = self.settings.levels.get((row.name, source.pk))
        words = Words(
            of_type=self.settings.levels.get((row.name, None)),
            of_source=own,
            of_subscription=Level(source.level) if source.level else None,
            permitted=source.can_respond,
        )
        return self._told(row, own, words, source)

    def all_of_source(self, source: Any) -> list[dict[str, Any]]:
        """Each type that it may send, as `EventTypeBody`."""
        return [
            self.of_source(row, source)
            for row in SETTABLE.values()
            if preferences.kind(row) == source.kind
        ]

    def _told(
        self, row: EventType, own: Level | None, words: Words, source: Source | None
    ) -> dict[str, Any]:
        policy = self.settings.policy
        usual = effective_levels.usual_level(row, policy=policy, words=words)
        failed = effective_levels.failure_level(row, policy=policy, words=words)
        return {
            "event_type": row.name,
            "channel": row.channel,
            "name": type_name(row.name),
            "levels": preferences.levels(row),
            "level": own,
            "effective": self._effective(row, usual, source),
            "on_failure": failed and self._effective(row, failed, source),
        }

    def _effective(
        self, row: EventType, found: EffectiveLevel, source: Source | None
    ) -> dict[str, Any]:
        where = Whereabouts(
            organization=self.membership.organization,
            membership=self.membership,
            source=source,
            event_type=row.name,
            channel=row.channel or "",
        )
        kept = place(found.outcome, found.decided_by, where)
        return {
            "level": found.level,
            "decided_by": found.decided_by,
            "reason": self._reason(row, found, source),
            "advice": kept.advice if kept else "",
            "address": (kept.api if kept else "") or None,
        }

    def _reason(self, row: EventType, found: EffectiveLevel, source: Source | None) -> str:
        facts = Facts(
            type=row.name,
            organization=self.membership.organization.name,
            zone=_UTC,
            now=timezone.now(),
            source=source.name if source is not None else "",
            channel=row.channel,
            subject=row.subject,
            decided_by=found.decided_by,
        )
        pushed = found.outcome is Outcome.PUSHED
        words = whose(found.decided_by, facts) if pushed else reason(found.outcome, facts)
        return pgettext("sentence", "%s.") % capfirst(words)
