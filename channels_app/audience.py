"""The candidates of a batch of events, by a number of queries that does not depend on how many.

The statements are written out: the ORM would compile each of them anew for every batch, which takes
longer than PostgreSQL needs to answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.gateways.pushes import Platform, Target
from channels_app.levels import Level, Privacy
from channels_app.models import Installation
from channels_app.prepared import Prepared
from channels_app.quiet_hours import Schedule, Window
from channels_app.routing import Candidate, Device, Policy, Snooze, Thresholds


@dataclass(frozen=True, slots=True)
class Concern:
    """What an event concerns: those who follow a source, or certain members and nobody else."""

    type: str
    organization_id: int
    source_id: int | None = None
    members: frozenset[int] | None = None
    """Of the organization; None: whoever follows the source."""

    @property
    def of_source(self) -> int | None:
        """The source whose followers are looked at. A call for a human goes to those who may answer
        its bot's customers, even where it goes to certain ones, whatever they subscribe to.
        """
        if self.members is None or EVENT_TYPES[self.type].channel is Channel.ESCALATION:
            return self.source_id
        return None


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate's membership, as far as it is the same for every type of event."""

    membership_id: int
    user_id: int
    external_id: str
    active: bool
    locale: str
    time_zone: str
    privacy: Privacy
    """The narrower of the organization's word and the member's."""
    permitted: bool
    subscribed: bool
    subscription_level: Level | None


@dataclass(slots=True)
class Rules:
    """What people and operators have set, as far as it may bear on a batch of events."""

    levels: dict[tuple[int, str, int | None], Level] = field(default_factory=dict)
    """By membership, event type and source (None: any source)."""
    channels: dict[tuple[int, str], tuple[bool | None, bool]] = field(default_factory=dict)
    """By membership and channel: overrides quiet hours, phone only."""
    windows: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))
    snoozes: dict[int, list[Snooze]] = field(default_factory=lambda: defaultdict(list))
    """By membership, as `windows`."""
    policies: dict[int, Policy] = field(default_factory=dict)
    """By organization."""
    thresholds: dict[int, Thresholds] = field(default_factory=dict)
    """By bot."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Everyone who might be told of something in a batch of events.

    A candidate of an event is who subscribes to its source, and who holds `chatbot.respond` on it;
    or whoever it is for.
    """

    members: Mapping[int, list[Member]]
    """By source; whom an event is for, whatever they follow, by 0."""
    rules: Rules
    devices: Mapping[int, tuple[Device, ...]]
    """By user."""
    targets: Mapping[UUID, Target]
    """By installation."""
    _candidates: dict[Concern, list[Candidate]] = field(default_factory=dict)

    def candidates(self, concern: Concern) -> list[Candidate]:
        """The candidates of an event, alike for all events of its type and source."""
        if concern not in self._candidates:
            chosen = concern.members
            self._candidates[concern] = [
                self._candidate(member, concern)
                for member in self.members.get(concern.of_source or 0, ())
                if chosen is None or member.membership_id in chosen
            ]
        return self._candidates[concern]

    def _candidate(self, member: Member, concern: Concern) -> Candidate:
        pk, rules = member.membership_id, self.rules
        channel = EVENT_TYPES[concern.type].channel or ""
        overrides, phone_only = rules.channels.get((pk, channel), (None, False))
        windows = rules.windows.get(pk)
        return Candidate(
            membership_id=pk,
            external_id=member.external_id,
            active=member.active,
            permitted=member.permitted,
            subscribed=member.subscribed or concern.members is not None,
            locale=member.locale,
            type_level=rules.levels.get((pk, concern.type, None)),
            source_level=rules.levels.get((pk, concern.type, concern.source_id))
            if concern.source_id is not None
            else None,
            subscription_level=member.subscription_level,
            devices=self._devices(member),
            quiet_hours=Schedule(member.time_zone, tuple(windows)) if windows else None,
            snoozes=tuple(rules.snoozes.get(pk, ())),
            overrides=overrides,
            phone_only=phone_only,
        )

    def _devices(self, member: Member) -> tuple[Device, ...]:
        devices = self.devices.get(member.user_id, ())
        if member.privacy is Privacy.FULL:
            return devices
        return tuple(
            replace(device, privacy=Privacy.narrowest(member.privacy, device.privacy))
            for device in devices
        )


def gather(concerns: Iterable[Concern], *, members: Collection[int] | None = None) -> Audience:
    """Load the audience of a batch of events: three queries.

    With `members`, only as far as it consists of these memberships.
    """
    concerns = frozenset(concerns)
    found = _members(concerns, members)
    everyone = [member for of_source in found.values() for member in of_source]
    rules = _rules(concerns, {member.membership_id for member in everyone})
    devices, targets = _devices({member.user_id for member in everyone})
    return Audience(members=found, rules=rules, devices=devices, targets=targets)


# A subscription to a source of another organization counts for nothing, and so does a permission
# held by somebody who is no member of the bot's organization.
MEMBERS = Prepared("""
    WITH subscriber AS (
        SELECT source.id AS source_id, membership.id AS membership_id, subscription.level
        FROM chatbot_source source
        JOIN chatbot_subscription subscription ON subscription.source_id = source.id
        JOIN chatbot_membership membership ON membership.id = subscription.membership_id
            AND membership.organization_id = source.organization_id
        WHERE source.id = ANY(%(sources)s::bigint[])
    ), held AS (
        SELECT content_object_id AS source_id, permission_id, user_id
        FROM chatbot_botuserpermission WHERE content_object_id = ANY(%(sources)s::bigint[])
        UNION
        SELECT content_object_id, permission_id, user_id
        FROM chatbot_botgrouppermission JOIN chatbot_user_groups USING (group_id)
        WHERE content_object_id = ANY(%(sources)s::bigint[])
    ), responder AS (
        SELECT source.id AS source_id, membership.id AS membership_id
        FROM held
        JOIN auth_permission permission ON permission.id = held.permission_id
            AND permission.codename = 'respond'
        JOIN chatbot_source source ON source.id = held.source_id
        JOIN chatbot_membership membership ON membership.user_id = held.user_id
            AND membership.organization_id = source.organization_id
    ), candidate AS (
        SELECT source_id, membership_id, subscriber.level,
            responder.membership_id IS NOT NULL AS permitted,
            subscriber.membership_id IS NOT NULL AS subscribed
        FROM subscriber FULL JOIN responder USING (source_id, membership_id)
        UNION ALL
        SELECT 0, unnest(%(members)s::bigint[]), '', true, true
    )
    SELECT candidate.source_id, membership.id, person.id, membership.external_id,
        membership.active AND person.is_active, person.locale, person.time_zone,
        organization.privacy, membership.privacy, candidate.permitted, candidate.subscribed,
        candidate.level
    FROM candidate
    JOIN chatbot_membership membership ON membership.id = candidate.membership_id
    JOIN chatbot_organization organization ON organization.id = membership.organization_id
    JOIN chatbot_user person ON person.id = membership.user_id
    WHERE %(only)s::bigint[] IS NULL OR membership.id = ANY(%(only)s::bigint[])
""")


def _members(concerns: Iterable[Concern], only: Collection[int] | None) -> dict[int, list[Member]]:
    rows = MEMBERS.all(
        {
            "sources": [c.of_source for c in concerns if c.of_source is not None],
            "members": list(
                {pk for c in concerns if c.of_source is None for pk in c.members or ()}
            ),
            "only": None if only is None else list(only),
        }
    )
    members: dict[int, list[Member]] = defaultdict(list)
    for source_id, pk, user_id, external_id, active, locale, zone, *rest in rows:
        of_organization, of_member, permitted, subscribed, level = rest
        members[source_id].append(
            Member(
                membership_id=pk,
                user_id=user_id,
                external_id=external_id,
                active=active,
                locale=locale or settings.LANGUAGE_CODE,
                time_zone=zone or "UTC",
                privacy=_narrowest(of_organization, of_member),
                permitted=permitted,
                subscribed=subscribed,
                subscription_level=Level(level) if level else None,
            )
        )
    return members


_narrowest = lru_cache(maxsize=64)(Privacy.narrowest)

# Rows of one shape from seven tables, in one trip: kind, whose, name, source, value, until.
RULES = Prepared("""
    SELECT 'level', membership_id, event_type, source_id, level, NULL::timestamptz
    FROM chatbot_preference
    WHERE membership_id = ANY(%(members)s::bigint[]) AND event_type = ANY(%(types)s::text[])
    UNION ALL
    SELECT 'channel', membership_id, channel, phone_only::int, overrides_quiet_hours::text, NULL
    FROM chatbot_channelpreference WHERE membership_id = ANY(%(members)s::bigint[])
    UNION ALL
    SELECT 'window', membership_id, array_to_string(days, ''), NULL, start || ' ' || "end", NULL
    FROM chatbot_quietwindow WHERE membership_id = ANY(%(members)s::bigint[])
    UNION ALL
    SELECT 'snooze', membership_id, subject, source_id, NULL, until
    FROM chatbot_snooze WHERE membership_id = ANY(%(members)s::bigint[])
    UNION ALL
    SELECT 'channel_off', organization_id, channel, NULL, NULL, NULL
    FROM chatbot_channelpolicy
    WHERE organization_id = ANY(%(organizations)s::bigint[]) AND NOT enabled
    UNION ALL
    SELECT 'policy', organization_id, event_type, NULL, level, NULL
    FROM chatbot_typepolicy WHERE organization_id = ANY(%(organizations)s::bigint[])
    UNION ALL
    SELECT 'bot', source_ptr_id, tone_minimum::text, unanswered_threshold, NULL, NULL
    FROM chatbot_bot WHERE source_ptr_id = ANY(%(sources)s::bigint[])
""")


def _rules(concerns: Iterable[Concern], memberships: Iterable[int]) -> Rules:
    rows = RULES.all(
        {
            "members": list(memberships),
            "types": list({concern.type for concern in concerns}),
            "organizations": list({concern.organization_id for concern in concerns}),
            "sources": [c.source_id for c in concerns if c.source_id is not None],
        }
    )
    rules = Rules()
    off: dict[int, set[str]] = defaultdict(set)
    levels: dict[int, dict[str, Level]] = defaultdict(dict)
    for kind, owner, name, source_id, value, until in rows:
        match kind:
            case "level":
                rules.levels[owner, name, source_id] = Level(value)
            case "channel":
                overrides = None if value is None else value == "true"
                rules.channels[owner, name] = (overrides, bool(source_id))
            case "window":
                rules.windows[owner].append(_window(name, value))
            case "snooze":
                rules.snoozes[owner].append(Snooze(until, source_id, name))
            case "channel_off":
                off[owner].add(name)
            case "policy":
                levels[owner][name] = Level(value)
            case "bot":
                rules.thresholds[owner] = Thresholds(unanswered=source_id, tone=float(name))
    for organization_id in off.keys() | levels.keys():
        rules.policies[organization_id] = Policy(
            channels_off=frozenset(off[organization_id]), levels=levels[organization_id]
        )
    return rules


@lru_cache(maxsize=4096)
def _window(days: str, hours: str) -> Window:
    start, end = map(time.fromisoformat, hours.split(" "))
    return Window(days=frozenset(map(int, days)), start=start, end=end)


DEVICES = Prepared("""
    SELECT installation.user_id, installation.id::text, platform,
        COALESCE(apns.application_id, fcm.application_id, webpush.application_id, ''),
        COALESCE(apns.registration_id, fcm.registration_id, webpush.registration_id),
        COALESCE(webpush.p256dh, ''), COALESCE(webpush.auth, ''), critical_allowed,
        muted_channels::text[], privacy, os_permission, registered_at
    FROM chatbot_installation installation
    LEFT JOIN push_notifications_apnsdevice apns ON apns.id = installation.apns_id
    LEFT JOIN push_notifications_gcmdevice fcm ON fcm.id = installation.fcm_id
    LEFT JOIN push_notifications_webpushdevice webpush ON webpush.id = installation.webpush_id
    WHERE installation.user_id = ANY(%(users)s::bigint[]) AND dead_since IS NULL
        AND COALESCE(apns.active, fcm.active, webpush.active)
""")


def _devices(
    users: Iterable[int],
) -> tuple[dict[int, tuple[Device, ...]], dict[UUID, Target]]:
    devices: dict[int, list[Device]] = defaultdict(list)
    targets: dict[UUID, Target] = {}
    for user_id, pk, platform, application, token, p256dh, auth, *rest in DEVICES.all(
        {"users": list(users)}
    ):
        critical_allowed, muted, privacy, os_permission, registered_at = rest
        installation_id = UUID(pk)
        devices[user_id].append(
            Device(
                installation_id=installation_id,
                critical_sounds=platform != Platform.APNS
                or (critical_allowed and application in settings.CRITICAL_ALERT_APPLICATIONS),
                phone=platform != Platform.WEBPUSH,
                allowed=os_permission != Installation.Permission.DENIED,
                registered_at=registered_at,
                muted=frozenset(muted),
                privacy=_narrowest(privacy),
            )
        )
        targets[installation_id] = Target(
            platform=Platform(platform),
            application_id=application,
            registration_id=token,
            p256dh=p256dh,
            auth=auth,
            critical_allowed=critical_allowed,
        )
    return {user_id: tuple(found) for user_id, found in devices.items()}, targets
