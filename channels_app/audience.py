"""The candidates of a batch of events, by a number of queries that does not depend on how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q, TextField, Value
from django.db.models.functions import Coalesce

from channels_app.gateways.pushes import Platform, Target
from channels_app.levels import Level
from channels_app.models import (
    Bot,
    BotGroupPermission,
    BotUserPermission,
    Event,
    Installation,
    Membership,
    Preference,
    Subscription,
)
from channels_app.routing import Candidate, Device, Thresholds

RESPOND = Q(permission__codename="respond", permission__content_type__app_label="chatbot")


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with what its person says of themselves."""

    membership_id: int
    organization_id: int
    user_id: int
    external_id: str
    active: bool
    locale: str


@dataclass(frozen=True, slots=True)
class Audience:
    """Everyone who might be told of something in a batch of events.

    A candidate of an event is who subscribes to its source, and who holds `chatbot.respond` on it.
    """

    members: Mapping[int, Mapping[int, Member]]
    """By source and membership, who are candidates."""
    subscribers: frozenset[tuple[int, int]]
    """Pairs of source and membership."""
    responders: frozenset[tuple[int, int]]
    """Pairs of bot and user."""
    levels: Mapping[tuple[int, str, int | None], Level]
    """By membership, event type and source (None: any source)."""
    devices: Mapping[int, tuple[Device, ...]]
    """By user."""
    targets: Mapping[UUID, Target]
    """By installation."""
    thresholds: Mapping[int, Thresholds]
    """By bot."""
    _candidates: dict[tuple[int, str], list[Candidate]] = field(default_factory=dict)

    def candidates(self, *, source_id: int, type: str) -> list[Candidate]:
        """The candidates of an event of this type from this source."""
        key = (source_id, type)
        if key not in self._candidates:
            members = self.members.get(source_id, {}).values()
            self._candidates[key] = [self._candidate(member, *key) for member in members]
        return self._candidates[key]

    def _candidate(self, member: Member, source_id: int, type: str) -> Candidate:
        return Candidate(
            membership_id=member.membership_id,
            external_id=member.external_id,
            active=member.active,
            permitted=(source_id, member.user_id) in self.responders,
            subscribed=(source_id, member.membership_id) in self.subscribers,
            locale=member.locale,
            type_level=self.levels.get((member.membership_id, type, None)),
            source_level=self.levels.get((member.membership_id, type, source_id)),
            devices=self.devices.get(member.user_id, ()),
        )


def gather(events: Iterable[Event]) -> Audience:
    """Load the audience of a batch of events."""
    sources = {e.source_id: e.organization_id for e in events if e.source_id is not None}
    subscribers = frozenset(
        # A subscription to a source of another organization counts for nothing.
        Subscription.objects.filter(
            source_id__in=sources, membership__organization=F("source__organization")
        ).values_list("source_id", "membership_id")
    )
    responders = _responders(sources)
    people = _members(sources, subscribers, responders)
    members: dict[int, dict[int, Member]] = defaultdict(dict)
    by_membership = {member.membership_id: member for member in people}
    by_user = {(member.organization_id, member.user_id): member for member in people}
    for source_id, membership_id in subscribers:
        members[source_id][membership_id] = by_membership[membership_id]
    for source_id, user_id in responders:
        # A permission left over from another organization makes nobody a candidate of this one.
        if member := by_user.get((sources[source_id], user_id)):
            members[source_id][member.membership_id] = member
    devices, targets = _devices({member.user_id for member in people})
    return Audience(
        members=members,
        subscribers=subscribers,
        responders=responders,
        levels=_levels(by_membership, {event.type for event in events}),
        devices=devices,
        targets=targets,
        thresholds=_thresholds(sources),
    )


def _responders(bots: Iterable[int]) -> frozenset[tuple[int, int]]:
    direct = BotUserPermission.objects.filter(RESPOND, content_object__in=bots).values_list(
        "content_object_id", "user_id"
    )
    by_role = BotGroupPermission.objects.filter(RESPOND, content_object__in=bots).values_list(
        "content_object_id", "group__user"
    )
    return frozenset(pair for pair in direct.union(by_role) if pair[1] is not None)


def _members(
    sources: Mapping[int, int],
    subscribers: frozenset[tuple[int, int]],
    responders: frozenset[tuple[int, int]],
) -> list[Member]:
    rows = Membership.objects.filter(
        Q(pk__in={membership_id for _, membership_id in subscribers})
        | Q(
            organization__in=set(sources.values()),
            user__in={user_id for _, user_id in responders},
        )
    ).values_list(
        "pk",
        "organization_id",
        "user_id",
        "external_id",
        "active",
        "user__is_active",
        "user__locale",
    )
    return [
        Member(pk, organization_id, user_id, external_id, active and user_active, locale)
        for pk, organization_id, user_id, external_id, active, user_active, locale in rows
    ]


def _levels(
    memberships: Iterable[int], types: Iterable[str]
) -> dict[tuple[int, str, int | None], Level]:
    rows = Preference.objects.filter(
        membership__in=list(memberships), event_type__in=list(types)
    ).values_list("membership_id", "event_type", "source_id", "level")
    return {(membership, type, source): Level(level) for membership, type, source, level in rows}


def _devices(
    users: Iterable[int],
) -> tuple[dict[int, tuple[Device, ...]], dict[UUID, Target]]:
    rows = (
        Installation.objects.filter(user__in=list(users), dead_since=None)
        .annotate(
            alive=Coalesce("apns__active", "fcm__active", "webpush__active"),
            application=Coalesce(
                "apns__application_id",
                "fcm__application_id",
                "webpush__application_id",
                Value(""),
            ),
            registration=Coalesce(
                "apns__registration_id",
                "fcm__registration_id",
                "webpush__registration_id",
                output_field=TextField(),
            ),
        )
        .filter(alive=True)
        .values_list(
            "user_id",
            "pk",
            "platform",
            "application",
            "registration",
            "webpush__p256dh",
            "webpush__auth",
            "critical_allowed",
        )
    )
    devices: dict[int, list[Device]] = defaultdict(list)
    targets: dict[UUID, Target] = {}
    for user_id, pk, platform, application, registration, p256dh, auth, critical in rows:
        devices[user_id].append(
            Device(
                installation_id=pk,
                critical_sounds=platform != Installation.Platform.APNS
                or (critical and application in settings.CRITICAL_ALERT_APPLICATIONS),
            )
        )
        targets[pk] = Target(
            platform=Platform(platform),
            application_id=application,
            registration_id=registration,
            p256dh=p256dh or "",
            auth=auth or "",
            critical_allowed=critical,
        )
    return {user_id: tuple(found) for user_id, found in devices.items()}, targets


def _thresholds(sources: Iterable[int]) -> dict[int, Thresholds]:
    rows = Bot.objects.filter(pk__in=list(sources)).values_list(
        "pk", "unanswered_threshold", "tone_minimum"
    )
    return {pk: Thresholds(unanswered=unanswered, tone=tone) for pk, unanswered, tone in rows}
