"""Makes the demo's organizations, or puts back what the demo needs of them.

May be run any number of times: what is there is kept, what is missing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from oauth2_provider.models import Application

from channels_app import connections, installations, roles, sources
from channels_app.models import (
    Connection,
    Installation,
    Membership,
    Organization,
    Preference,
    Role,
    Source,
    Subscription,
    User,
)
from channels_app.push_tokens import Address
from pushbridge.demo import logins
from pushbridge.demo.cast import ADMIN, LOGINS, OLIVIA, TENANTS, Login, Person, Phone, Tenant
from pushbridge.demo.sandbox import Sandbox
from workflows import runs

APPS = ("chatbot", "claims", "workflows", "push_notifications")
# What an operator arranges. Everything else is looked at.
ARRANGED = (
    "role",
    "membership",
    "subscription",
    "preference",
    "channelpreference",
    "quietwindow",
    "snooze",
    "channelpolicy",
    "typepolicy",
    "bot",
    "connection",
)
# The app that whoever tries the API signs in as (docs/sandbox.md).
APP = "pushbridge-demo-app"
REDIRECT = "pushbridge://oauth"


def seed(*, sandbox: Sandbox | None, known: dict[str, str], now: datetime) -> dict[str, str]:
    """Make what is missing; answer the passwords of the logins.

    Without a sandbox there are no phones to play with: then only the superuser is made.

    Args:
        known: passwords that an earlier seeding gave out, by user name.

    Raises:
        SandboxGone: nothing was changed.
        TokenTaken: a phone of the sandbox was registered for somebody else. Nothing was changed.
    """
    with transaction.atomic():
        if sandbox is not None:
            for tenant in TENANTS:
                _tenant(tenant, sandbox=sandbox, now=now)
            _app()
        return {
            login.username: _login(login, known.get(login.username, ""))
            for login in logins_with(sandbox)
        }


def logins_with(sandbox: Sandbox | None) -> Sequence[Login]:
    """Who can sign in: without a demo organization nobody can be its operator."""
    return LOGINS if sandbox else (ADMIN,)


def _login(login: Login, known: str) -> str:
    """A user who can sign in to the admin, and their password: that of `known`, or a new one."""
    user, is_new = User.objects.get_or_create(username=login.username)
    user.is_staff = True
    user.is_superuser = login is ADMIN
    password = known or logins.new_password()
    # One that was given out before may have been changed by its owner since: it is left alone.
    if is_new or not known:
        user.set_password(password)
    user.save()
    if login is OLIVIA:
        user.user_permissions.set(_operators_permissions())
    return password


def _operators_permissions() -> QuerySet[Permission]:
    arranging = Q(content_type__model__in=ARRANGED, content_type__app_label="chatbot")
    return Permission.objects.filter(content_type__app_label__in=APPS).filter(
        Q(codename__startswith="view_")
        | arranging & Q(codename__regex="^(add|change|delete)_")
        | Q(codename="change_organization")
    )


def _app() -> None:
    Application.objects.get_or_create(
        client_id=APP,
        defaults={
            "name": "The demo's app",
            "redirect_uris": REDIRECT,
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "client_secret": "",
            "hash_client_secret": False,
        },
    )


def _tenant(tenant: Tenant, *, sandbox: Sandbox, now: datetime) -> None:
    organization, _ = Organization.objects.get_or_create(
        slug=tenant.slug,
        # The story tells a whole day in a minute: every banner of it is to be seen.
        defaults={"name": tenant.name, "banners_per_minute": None},
    )
    members = {person: _member(organization, person) for person in tenant.people}
    known_sources = _sources(organization, tenant)
    _role(organization, tenant, members)
    if not Connection.objects.filter(organization=organization, name=tenant.connection).exists():
        connections.create(organization_id=organization.pk, name=tenant.connection)
    for person, member in members.items():
        for external_id in person.follows:
            Subscription.objects.get_or_create(
                membership=member, source_id=known_sources[external_id]
            )
        for event_type, level in person.levels.items():
            Preference.objects.update_or_create(
                membership=member, event_type=event_type, source=None, defaults={"level": level}
            )
        for phone in person.phones:
            _phone(member.user, person, phone, sandbox=sandbox, now=now)


def _member(organization: Organization, person: Person) -> Membership:
    user, is_new = User.objects.get_or_create(
        username=person.username,
        defaults={"first_name": person.name, "email": f"{person.username}@example.com"},
    )
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    membership, _ = Membership.objects.get_or_create(
        organization=organization, user=user, defaults={"external_id": person.external_id}
    )
    return membership


def _sources(organization: Organization, tenant: Tenant) -> dict[str, int]:
    """The ids of the tenant's bots and workflows, by the platform's ids."""
    found = {
        bot.external_id: sources.bot(
            organization_id=organization.pk, external_id=bot.external_id, name=bot.name
        )
        for bot in tenant.bots
    }
    return found | {
        flow.external_id: runs.workflow(
            organization_id=organization.pk, external_id=flow.external_id, name=flow.name
        )
        for flow in tenant.workflows
    }


def _role(organization: Organization, tenant: Tenant, members: dict[Person, Membership]) -> None:
    """The role of those who respond, beside whoever was given it by hand, to all bots."""
    role = Role.objects.filter(organization=organization, name=tenant.role).first()
    if role is None:
        role = roles.create(
            organization_id=organization.pk, name=tenant.role, responds_to_new_bots=True
        )
    holders = Membership.objects.filter(
        organization=organization, user__groups=role.group_id
    ).values_list("pk", flat=True)
    responding = {member.pk for person, member in members.items() if person.responds}
    bots = Source.objects.filter(organization=organization, kind=Source.Kind.BOT)
    roles.arrange(
        role_id=role.pk,
        member_ids=responding | set(holders),
        bot_ids=list(bots.values_list("pk", flat=True)),
    )


def _phone(
    user: User, person: Person, phone: Phone, *, sandbox: Sandbox, now: datetime
) -> Installation:
    enrolled = sandbox.enroll(
        platform=phone.platform,
        owner=person.name,
        name=phone.name,
        application_id=phone.application_id,
    )
    return installations.register(
        user=user,
        address=Address(
            platform=Installation.Platform(phone.platform),
            application_id=phone.application_id,
            registration_id=enrolled.registration_id,
            p256dh=enrolled.p256dh,
            auth=enrolled.auth,
        ),
        about={"name": phone.name, "critical_allowed": phone.critical_allowed},
        installation_id=UUID(enrolled.installation_id),
        secret=enrolled.installation_secret,
        now=now,
    ).installation
