"""Two organizations that have one of everything, and people in every relation to them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from rest_framework.test import APIClient

from channels_app import action_tokens
from channels_app.action_tokens import Action
from channels_app.models import Bot, Event, Installation, Membership, Organization, Source, User
from claims.models import Conversation
from tests.contract.operations import Operation
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    ConversationFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    PreferenceFactory,
    QuietWindowFactory,
    RunFactory,
    SnoozeFactory,
    SubscriptionFactory,
    UserFactory,
    WorkflowFactory,
    permit,
)
from tests.pushbridge.api.app import registered

PERSONAL = ("installation", "secret", "notification", "snooze", "test", "action_token")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization. Everything in it has its `marker` in its name and in its id.

    Attributes:
        ids: what the parameters of addresses name its things by.
        escalation: an event of the conversation.
    """

    marker: str
    organization: Organization
    bot: Bot
    workflow: Source
    escalation: Event
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token of an app's.

    Attributes:
        ids: what addresses name their own things by; `secret` is their installation's.
    """

    user: User
    token: str
    ids: Mapping[str, str]

    @property
    def personal(self) -> dict[str, str]:
        """Of `ids`, what is this person's alone, and not their organization's."""
        return {name: self.ids[name] for name in PERSONAL if name in self.ids}

    def client(self) -> APIClient:
        return client(self.token)


def client(token: str) -> APIClient:
    """An app with this token; without one, somebody whom nobody knows.

    To be used again: each loads the middleware anew.
    """
    made = APIClient(raise_request_exception=False)
    if token:
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return made


def tenant(marker: str) -> Tenant:
    organization = OrganizationFactory.create(slug=marker, name=f"Company {marker}")
    connection = ConnectionFactory.create(organization=organization)
    names = {"organization": organization}
    bot = BotFactory.create(**names, external_id=f"{marker}_bot", name=f"Bot of {marker}")
    workflow = WorkflowFactory.create(**names, external_id=f"{marker}_wf", name=f"Flow of {marker}")
    conversation = ConversationFactory.create(
        **names, bot=bot, external_id=f"{marker}_conv", customer_name=f"Jane of {marker}"
    )
    run = RunFactory.create(workflow=workflow, external_id=f"{marker}_run", subject=marker)
    escalation = EventFactory.create(
        connection=connection, source=bot, subject=conversation.external_id
    )
    _knowledge_added(connection, bot)
    return Tenant(
        marker,
        organization,
        bot,
        workflow,
        escalation,
        {
            "org": marker,
            "bot": bot.external_id,
            "workflow": workflow.external_id,
            "conversation": conversation.external_id,
            "run": run.external_id,
            "channel": "escalation",
            "event_type": "bot.knowledge_added",
            "kind": "bot",
            "source": bot.external_id,
            "event": str(escalation.pk),
        },
    )


def _knowledge_added(connection: Any, bot: Bot) -> None:
    """An entry of the bot's audit log."""
    data = {"bot": {"id": bot.external_id, "name": bot.name}, "chunks": 12, "document": "a.pdf"}
    now = timezone.now()
    EventFactory.create(
        connection=connection,
        source=bot,
        subject="",
        type="bot.knowledge_added",
        payload={"type": "bot.knowledge_added", "timestamp": now.isoformat(), "data": data},
    )


def person(name: str, *, scope: str = "read write", **about: Any) -> Person:
    """Somebody of no organization, with a device and a token of an app's."""
    user = UserFactory.create(pk=uuid.uuid4().int >> 66, username=name, **about)
    secret = uuid.uuid4().hex
    phone = InstallationFactory.create(
        user=user, name=f"Phone of {name}", secret_hash=sha256(secret.encode()).hexdigest()
    )
    token = AccessToken.objects.create(
        user=user,
        token=uuid.uuid4().hex,
        application=Application.objects.first() or registered(),
        expires=timezone.now() + timedelta(days=1),
        scope=scope,
    )
    return Person(user, token.token, {"installation": str(phone.pk), "secret": secret})


def member(of: Tenant, name: str, *, active: bool = True, **about: Any) -> Person:
    """A member who subscribes to nothing and may answer nobody.

    With a notification that reached their phone, a snooze, quiet hours, preferences and a test.
    """
    someone = person(f"{name}_of_{of.marker}", **about)
    membership = MembershipFactory.create(
        organization=of.organization, user=someone.user, active=active
    )
    phone = Installation.objects.get(pk=someone.ids["installation"])
    told = NotificationFactory.create(
        event=of.escalation, membership=membership, title=f"Told by {of.marker}", listed=True
    )
    DeliveryFactory.create(notification=told, installation=phone, accepted=True)
    snooze = SnoozeFactory.create(membership=membership, source=of.workflow)
    QuietWindowFactory.create(membership=membership)
    PreferenceFactory.create(membership=membership)
    PreferenceFactory.create(membership=membership, source=of.bot)
    own = {
        "notification": str(told.pk),
        "snooze": str(snooze.pk),
        "test": str(_test_push(membership, phone).pk),
        "action_token": _token(membership, phone, of),
    }
    return Person(someone.user, someone.token, {**of.ids, **someone.ids, **own})


def _token(membership: Membership, phone: Installation, of: Tenant) -> str:
    """What the banner of the conversation's call has brought to this phone."""
    conversation = Conversation.objects.get(
        organization=of.organization, external_id=of.ids["conversation"]
    )
    return action_tokens.issue(Action(membership.pk, phone.pk, conversation.pk, conversation.epoch))


def _test_push(membership: Membership, phone: Installation) -> Event:
    now = timezone.now()
    return EventFactory.create(
        connection=None,
        organization=membership.organization,
        source=None,
        subject="",
        type="device.test",
        received_at=now,
        payload={
            "type": "device.test",
            "timestamp": now.isoformat(),
            "data": {"device": phone.name},
        },
        facts={"membership": membership.pk, "installation": str(phone.pk)},
        lane="default",
    )


def subscribe(someone: Person, to: Tenant) -> None:
    membership = Membership.objects.get(user=someone.user, organization=to.organization)
    SubscriptionFactory.create(membership=membership, source=to.bot)
    SubscriptionFactory.create(membership=membership, source=to.workflow)


def owner(of: Tenant, name: str = "owner", **about: Any) -> Person:
    """A member who follows everything, and may answer the bot's customers."""
    someone = member(of, name, **about)
    subscribe(someone, of)
    permit(bot=of.bot, to=someone.user)
    return someone


def body(operation: Operation, ids: Mapping[str, str]) -> Any:
    """What an app sends with an operation that takes a body, about these things. Else None."""
    made = BODIES.get(str(operation))
    return made(ids) if made else None


BODIES: Mapping[str, Any] = {
    "POST actions/claim/": lambda ids: {
        "action_token": ids["action_token"],
        "installation_id": ids["installation"],
        "installation_secret": ids["secret"],
    },
    "POST {org}/conversations/{conversation}/claim/": lambda ids: {
        "installation_id": ids["installation"]
    },
    "POST {org}/conversations/{conversation}/reply/": lambda ids: {
        "text": "Hello, this is Alice.",
        "reply_id": "0b6ad5a0-7a6b-4d0c-9d2e-6a3f0f1f7a11",
    },
    "PATCH me/": lambda ids: {"locale": "de-AT", "time_zone": "Europe/Vienna"},
    "PUT devices/{installation}/": lambda ids: {
        "secret": ids["secret"],
        "platform": "apns",
        "token": ids["secret"] * 2,
        "name": "New name",
        "app_version": "1.4.0",
        "locale": "de-AT",
        "time_zone": "Europe/Vienna",
        "os_permission": "granted",
        "critical_allowed": True,
    },
    "PATCH devices/{installation}/": lambda ids: {
        "name": "Other name",
        "muted_channels": ["workflow"],
        "privacy": "redacted",
    },
    "PUT {org}/bots/{bot}/subscription/": lambda ids: {"level": "quiet"},
    "PUT {org}/workflows/{workflow}/subscription/": lambda ids: {"level": "quiet"},
    "POST {org}/inbox/read-all/": lambda ids: {"up_to": int(ids["notification"])},
    "POST {org}/receipts/": lambda ids: {
        "installation_id": ids["installation"],
        "receipts": [
            {
                "notification_id": int(ids["notification"]),
                "kind": "action",
                "action": "claim",
                "at": "2026-11-23T09:15:04Z",
            }
        ],
    },
    "PATCH {org}/preferences/channels/{channel}/": lambda ids: {
        "overrides_quiet_hours": False,
        "phone_only": True,
    },
    "PUT {org}/preferences/types/{event_type}/": lambda ids: {"level": "loud"},
    "PUT {org}/preferences/types/{event_type}/sources/{kind}/{source}/": lambda ids: {
        "level": "loud"
    },
    "PUT {org}/quiet-hours/": lambda ids: {
        "windows": [{"days": [1, 2], "start": "22:00", "end": "07:00"}]
    },
    "PUT {org}/snoozes/": lambda ids: {
        "what": {"bot": ids["bot"], "conversation": "conv_1"},
        "minutes": 60,
    },
    "POST {org}/why/rehearsal/": lambda ids: {
        "type": "bot.tool_linked",
        "source": ids["bot"],
        "data": {},
    },
}
