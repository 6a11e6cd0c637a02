"""Whole organizations, with a row of every kind that the admin shows."""

from __future__ import annotations

from datetime import timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Permission
from django.db.models import Model
from oauth2_provider.models import Application, RefreshToken

from channels_app.models import (
    Attempt,
    Bot,
    Connection,
    Delivery,
    Event,
    Installation,
    Membership,
    Notification,
    Organization,
    Role,
    Source,
    User,
)
from claims.models import (
    Conversation,
    Endpoint,
    Ladder,
    Message,
    MessageAttempt,
    Unreachable,
)
from tests.factories import (
    AttemptFactory,
    BotFactory,
    ConnectionFactory,
    ConversationFactory,
    DeliveryFactory,
    EndpointFactory,
    EventFactory,
    InstallationFactory,
    LadderFactory,
    MembershipFactory,
    MessageFactory,
    NotificationFactory,
    PreferenceFactory,
    RoleFactory,
    RunFactory,
    SubscriptionFactory,
    UserFactory,
    WaveFactory,
    WorkflowFactory,
    permit,
)
from workflows.models import Run, StuckPolicy, Workflow

World = dict[type[Model], Model]


def superuser() -> User:
    return UserFactory.create(username="root", is_staff=True, is_superuser=True)


def operator(*organizations: Organization) -> User:
    """A staff member of these organizations with every permission that there is."""
    user = UserFactory.create(username="operator", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    for organization in organizations:
        MembershipFactory.create(organization=organization, user=user)
    return user


def world(organization: Organization, *, person: User | None = None, called: str = "x") -> World:
    """One row of every kind, all of this organization; texts contain `called`."""
    user = person or UserFactory.create(username=f"{called}-{organization.slug}")
    membership = MembershipFactory.create(organization=organization, user=user)
    bot = BotFactory.create(organization=organization, name=f"Bot {called}")
    workflow = WorkflowFactory.create(organization=organization, name=f"Workflow {called}")
    role = RoleFactory.create(organization=organization, name=f"Role {called}")
    role.group.user_set.add(user)
    permit(bot=bot, to=role)
    SubscriptionFactory.create(membership=membership, source=bot)
    PreferenceFactory.create(membership=membership, source=bot)
    phone = InstallationFactory.create(user=user)
    android = InstallationFactory.create(user=user, on_fcm=True)
    browser = InstallationFactory.create(user=user, on_webpush=True)
    connection = ConnectionFactory.create(organization=organization, name=f"Door {called}")
    event = EventFactory.create(connection=connection, source=bot, subject=f"conv-{called}")
    notification = NotificationFactory.create(
        event=event, membership=membership, title=f"Escalation {called}"
    )
    delivery = DeliveryFactory.create(
        notification=notification, installation=phone, accepted=True, reason=f"Reason{called}"
    )
    attempt = AttemptFactory.create(delivery=delivery, reason=f"Reason{called}")
    conversation = ConversationFactory.create(
        organization=organization, bot=bot, external_id=event.subject, customer_name=called
    )
    ladder = LadderFactory.create(organization=organization, bot=bot)
    WaveFactory.create(ladder=ladder, after=timedelta(), audience="subscribers")
    WaveFactory.create(ladder=ladder, after=timedelta(minutes=2), audience="role", role=role)
    unreachable = Unreachable.objects.create(bot=bot, since=event.received_at)
    endpoint = EndpointFactory.create(connection=connection)
    message = MessageFactory.create(endpoint=endpoint, subject=event.subject)
    told = MessageAttempt.objects.create(
        message=message,
        number=1,
        outcome="refused",
        status=503,
        sent_at=event.received_at,
        answered_at=event.received_at,
    )
    run = RunFactory.create(workflow=workflow, subject=f"run for {called}")
    policy = StuckPolicy.objects.create(
        organization=organization, stuck_default=timedelta(minutes=45)
    )
    sign_ins = [
        model.objects.create(username=called, ip_address="192.0.2.1", **more)
        for model, more in (
            (AccessAttempt, {"failures_since_start": 1, "user_agent": organization.slug}),
            (AccessFailureLog, {}),
            (AccessLog, {}),
        )
    ]
    app = Application.objects.create(name=f"App {called}", hash_client_secret=False)
    signed_in = RefreshToken.objects.create(user=user, application=app, token=f"{user}'s")
    devices = [phone.apns, android.fcm, browser.webpush]
    return {
        Organization: organization,
        User: user,
        Membership: membership,
        Role: role,
        Source: bot,
        Bot: bot,
        Workflow: workflow,
        Installation: phone,
        Connection: connection,
        Event: event,
        Notification: notification,
        Delivery: delivery,
        Attempt: attempt,
        Conversation: conversation,
        Ladder: ladder,
        Unreachable: unreachable,
        Endpoint: endpoint,
        Message: message,
        MessageAttempt: told,
        Run: run,
        StuckPolicy: policy,
        **{type(row): row for row in (*devices, *sign_ins, app, signed_in) if row},
    }
