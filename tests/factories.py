"""Rows for tests: `BotFactory.create(organization=acme)`.

Each factory fills only what the tables demand, and keeps tenants apart by itself: what a row refers
to belongs to the row's own organization, and a delivery goes to a device of the person it is for.
Use `.create()` (typed) rather than calling the class.
"""

# factory-boy types what it makes, not the declarations it is told by.
# mypy: allow-untyped-calls

from __future__ import annotations

import base64
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone
from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory
from guardian.shortcuts import assign_perm
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from channels_app.event_types import EVENT_TYPES, Channel
from channels_app.levels import Lane, Level
from channels_app.models import (
    Attempt,
    Bot,
    ChannelPolicy,
    ChannelPreference,
    Connection,
    Delivery,
    Event,
    Installation,
    Membership,
    Notification,
    Organization,
    Preference,
    QuietWindow,
    Role,
    Snooze,
    Source,
    Subscription,
    TypePolicy,
    User,
)
from claims.models import Conversation, Endpoint, Ladder, Message, Wave
from workflows import thresholds
from workflows.models import Baseline, Run, Step, Workflow

M = TypeVar("M", bound=Model)

# RFC 8291, appendix A: the user agent's public key and authentication secret.
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"


def secret(number: int) -> str:
    """A Standard Webhooks secret (whsec_ and the base64 of 24 bytes), different for each number."""
    return "whsec_" + base64.b64encode(number.to_bytes(24, "big")).decode()


def permit(*, bot: Bot, to: User | Role) -> None:
    """Give a person, or everyone who holds a role, `chatbot.respond` on a bot."""
    assign_perm("chatbot.respond", to if isinstance(to, User) else to.group, bot)


class Rows(DjangoModelFactory[M]):
    class Meta:
        abstract = True


class UserFactory(Rows[User]):
    """A person who cannot log in by password (hashing one is slow); use `client.force_login`."""

    class Meta:
        model = User

    username = Sequence(lambda n: f"agent{n}")
    email = LazyAttribute(lambda row: f"{row.username}@example.com")
    first_name = Sequence(lambda n: f"Agent {n}")
    password = "!"


class OrganizationFactory(Rows[Organization]):
    class Meta:
        model = Organization

    name = Sequence(lambda n: f"Organization {n}")
    slug = Sequence(lambda n: f"organization-{n}")


class GroupFactory(Rows[Group]):
    class Meta:
        model = Group

    name = Sequence(lambda n: f"group {n}")


class RoleFactory(Rows[Role]):
    class Meta:
        model = Role

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda n: f"Role {n}")
    group = SubFactory(GroupFactory)


class MembershipFactory(Rows[Membership]):
    class Meta:
        model = Membership

    organization = SubFactory(OrganizationFactory)
    user = SubFactory(UserFactory)
    external_id = Sequence(lambda n: f"person_{n}")


class BotFactory(Rows[Bot]):
    class Meta:
        model = Bot

    organization = SubFactory(OrganizationFactory)
    kind = Source.Kind.BOT
    external_id = Sequence(lambda n: f"bot_{n}")
    name = Sequence(lambda n: f"Bot {n}")


class WorkflowFactory(Rows[Workflow]):
    class Meta:
        model = Workflow

    organization = SubFactory(OrganizationFactory)
    kind = Source.Kind.WORKFLOW
    external_id = Sequence(lambda n: f"wf_{n}")
    name = Sequence(lambda n: f"Workflow {n}")


class SubscriptionFactory(Rows[Subscription]):
    """To a bot of the member's organization, unless `source=` says otherwise."""

    class Meta:
        model = Subscription

    membership = SubFactory(MembershipFactory)
    source = SubFactory(BotFactory, organization=SelfAttribute("..membership.organization"))


class PreferenceFactory(Rows[Preference]):
    class Meta:
        model = Preference

    membership = SubFactory(MembershipFactory)
    event_type = "bot.knowledge_added"
    source = None
    level = Level.OFF


class ChannelPolicyFactory(Rows[ChannelPolicy]):
    class Meta:
        model = ChannelPolicy

    organization = SubFactory(OrganizationFactory)
    channel = Channel.WORKFLOW.value
    enabled = False


class TypePolicyFactory(Rows[TypePolicy]):
    class Meta:
        model = TypePolicy

    organization = SubFactory(OrganizationFactory)
    event_type = "bot.knowledge_added"
    level = Level.OFF


class ChannelPreferenceFactory(Rows[ChannelPreference]):
    class Meta:
        model = ChannelPreference

    membership = SubFactory(MembershipFactory)
    channel = Channel.ESCALATION.value


class QuietWindowFactory(Rows[QuietWindow]):
    """Every night."""

    class Meta:
        model = QuietWindow

    membership = SubFactory(MembershipFactory)
    days = LazyFunction(lambda: [1, 2, 3, 4, 5, 6, 7])
    start = time(22)
    end = time(7)


class SnoozeFactory(Rows[Snooze]):
    """For an hour."""

    class Meta:
        model = Snooze

    membership = SubFactory(MembershipFactory)
    source = None
    until = LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class ConnectionFactory(Rows[Connection]):
    class Meta:
        model = Connection

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda n: f"Connection {n}")
    secret = Sequence(secret)


def _payload(
    event_type: str, bot: Source, subject: str, occurred_at: datetime
) -> dict[str, object]:
    return {
        "type": event_type,
        "timestamp": occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "bot": {"id": bot.external_id, "name": bot.name},
            "conversation": {"id": subject, "customer": {"id": "cust_1", "name": "Jane Doe"}},
            "message": "I want to talk to a human about my refund.",
        },
    }


def _lane(event_type: str) -> Lane:
    return EVENT_TYPES[event_type].lane if event_type in EVENT_TYPES else Lane.DEFAULT


class EventFactory(Rows[Event]):
    """A customer of a bot asked for a human, just now. For other types give `payload=` too."""

    class Meta:
        model = Event

    connection = SubFactory(ConnectionFactory)
    organization = SelfAttribute("connection.organization")
    webhook_id = Sequence(lambda n: f"msg_{n}")
    type = "conversation.human_requested"
    source = SubFactory(BotFactory, organization=SelfAttribute("..organization"))
    subject = Sequence(lambda n: f"conv_{n}")
    received_at = LazyFunction(timezone.now)
    occurred_at = SelfAttribute("received_at")
    route_at = SelfAttribute("received_at")
    payload = LazyAttribute(
        lambda row: _payload(row.type, row.source, row.subject, row.occurred_at)
    )
    lane = LazyAttribute(lambda row: _lane(row.type))


class ApnsDeviceFactory(Rows[APNSDevice]):
    class Meta:
        model = APNSDevice

    registration_id = Sequence(lambda n: f"{n:064x}")
    application_id = "ios-sandbox"
    user = SubFactory(UserFactory)


class FcmDeviceFactory(Rows[GCMDevice]):
    class Meta:
        model = GCMDevice

    registration_id = Sequence(lambda n: f"fcm{n:08}:APA91b{n:0134}")
    application_id = "android-sandbox"
    user = SubFactory(UserFactory)


class WebPushDeviceFactory(Rows[WebPushDevice]):
    class Meta:
        model = WebPushDevice

    registration_id = Sequence(lambda n: f"https://localhost/push/{n}")
    application_id = "web-sandbox"
    p256dh = P256DH
    auth = AUTH
    user = SubFactory(UserFactory)


class InstallationFactory(Rows[Installation]):
    """An iPhone; `on_fcm=True` an Android phone, `on_webpush=True` a browser."""

    class Meta:
        model = Installation

    class Params:
        on_fcm = Trait(
            platform="fcm",
            apns=None,
            fcm=SubFactory(FcmDeviceFactory, user=SelfAttribute("..user")),
        )
        on_webpush = Trait(
            platform="webpush",
            apns=None,
            webpush=SubFactory(WebPushDeviceFactory, user=SelfAttribute("..user")),
        )

    user = SubFactory(UserFactory)
    platform = Installation.Platform.APNS
    apns = SubFactory(ApnsDeviceFactory, user=SelfAttribute("..user"))
    fcm = None
    webpush = None
    name = Sequence(lambda n: f"Phone {n}")


class NotificationFactory(Rows[Notification]):
    """A critical banner for a member of the event's organization."""

    class Meta:
        model = Notification

    event = SubFactory(EventFactory)
    membership = SubFactory(MembershipFactory, organization=SelfAttribute("..event.organization"))
    outcome = "pushed"
    level = Level.CRITICAL
    title = "🆘 Customer escalation: Bot X"
    body = '"I want to talk to a human about my refund."\nTap to claim and respond.'
    created_at = SelfAttribute("event.received_at")


class DeliveryFactory(Rows[Delivery]):
    """Due now, worth sending for 15 minutes; `accepted=True` and `failed=True` are settled."""

    class Meta:
        model = Delivery

    class Params:
        accepted = Trait(
            state=Delivery.State.ACCEPTED, attempts=1, settled_at=LazyFunction(timezone.now)
        )
        failed = Trait(
            state=Delivery.State.FAILED,
            attempts=1,
            reason="BadDeviceToken",
            settled_at=LazyFunction(timezone.now),
        )

    notification = SubFactory(NotificationFactory)
    installation = SubFactory(
        InstallationFactory, user=SelfAttribute("..notification.membership.user")
    )
    organization = SelfAttribute("notification.event.organization")
    lane = SelfAttribute("notification.event.lane")
    created_at = SelfAttribute("notification.created_at")
    due_at = SelfAttribute("created_at")
    expires_at = LazyAttribute(lambda row: row.created_at + timedelta(minutes=15))


class AttemptFactory(Rows[Attempt]):
    """An accepted try that took 40 ms."""

    class Meta:
        model = Attempt

    delivery = SubFactory(DeliveryFactory)
    number = Sequence(lambda n: n % 30_000 + 1)
    verdict = Attempt.Verdict.ACCEPTED
    status = 200
    sent_at = LazyFunction(timezone.now)
    answered_at = LazyAttribute(lambda row: row.sent_at + timedelta(milliseconds=40))


class ConversationFactory(Rows[Conversation]):
    class Meta:
        model = Conversation

    organization = SubFactory(OrganizationFactory)
    bot = SubFactory(BotFactory, organization=SelfAttribute("..organization"))
    external_id = Sequence(lambda n: f"conv_{n}")
    customer_id = "cust_1"
    customer_name = "Jane Doe"
    changed_at = LazyFunction(timezone.now)
    claimed_at = LazyAttribute(
        lambda row: row.changed_at if getattr(row, "state", "") == "claimed" else None
    )


class EndpointFactory(Rows[Endpoint]):
    class Meta:
        model = Endpoint

    connection = SubFactory(ConnectionFactory)
    url = Sequence(lambda n: f"https://platform.example/pushbridge/{n}")
    secret = Sequence(lambda n: secret(1_000_000 + n))


class MessageFactory(Rows[Message]):
    """A message that is due now; `webhook_id` counts."""

    class Meta:
        model = Message

    endpoint = SubFactory(EndpointFactory)
    webhook_id = Sequence(lambda n: f"msg_{n:032x}")
    type = "conversation.claimed"
    subject = Sequence(lambda n: f"conversation-{n}")
    body = "{}"
    created_at = LazyFunction(timezone.now)
    due_at = SelfAttribute("created_at")
    round_at = SelfAttribute("created_at")


class LadderFactory(Rows[Ladder]):
    """Of all bots of an organization, unless `bot=` says otherwise; its waves are made by hand."""

    class Meta:
        model = Ladder

    organization = SubFactory(OrganizationFactory)


class WaveFactory(Rows[Wave]):
    class Meta:
        model = Wave

    ladder = SubFactory(LadderFactory)
    after = timedelta()
    audience = Wave.Audience.SUBSCRIBERS


class RunFactory(Rows[Run]):
    class Meta:
        model = Run

    workflow = SubFactory(WorkflowFactory)
    external_id = Sequence(lambda n: f"run_{n}")
    subject = 'new contact "Jane Doe (Acme)"'
    steps = 5
    started_at = LazyFunction(timezone.now)


class StepFactory(Rows[Step]):
    """The first of a run, running since that began."""

    class Meta:
        model = Step

    run = SubFactory(RunFactory)
    index = 1
    name = "Collect figures"
    started_at = SelfAttribute("run.started_at")


class BaselineFactory(Rows[Baseline]):
    """Of ten tries that took a minute and a half to two and a half: see `durations=`."""

    class Meta:
        model = Baseline

    workflow = SubFactory(WorkflowFactory)
    step = "Collect figures"
    durations = LazyFunction(lambda: [90.0, 100, 105, 110, 115, 120, 125, 130, 140, 150])
    completed = LazyAttribute(lambda row: len(row.durations))
    mean_seconds = LazyAttribute(lambda row: thresholds.usual(row.durations).mean)
    median_seconds = LazyAttribute(lambda row: thresholds.usual(row.durations).median)
    floor_seconds = LazyAttribute(lambda row: thresholds.usual(row.durations).floor)
    threshold_seconds = LazyAttribute(lambda row: thresholds.usual(row.durations).threshold)
    changed_at = LazyFunction(timezone.now)
