from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from oauth2_provider.models import AccessToken
from pytest_django import DjangoAssertNumQueries

from channels_app.api.credentials import Credential
from channels_app.models import Bot, BotUserPermission, Membership, User
from claims.stream import admission
from claims.stream.admission import Badge, Sight
from tests.claims.stream.listening import token_for
from tests.factories import (
    BotFactory,
    MembershipFactory,
    RoleFactory,
    UserFactory,
    permit,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def alice(bot: Bot) -> Membership:
    member = MembershipFactory.create(organization=bot.organization)
    permit(bot=bot, to=member.user)
    return member


def by_token(member: Membership) -> Badge:
    token_for(member.user)
    row = AccessToken.objects.get(user=member.user)
    credential = Credential(token_id=row.pk, expires_at=row.expires)
    return admission.badge(member, credential, SessionStore())


def by_session(member: Membership) -> Badge:
    session = SessionStore()
    session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
    session.create()
    return admission.badge(member, None, session)


def sight(badge: Badge) -> Sight | None:
    return admission.sights({badge}, now=timezone.now()).get(badge)


def test_who_may_answer_a_bots_customers_sees_its_conversations(
    bot: Bot, alice: Membership
) -> None:
    of_a_role = BotFactory.create(organization=bot.organization)
    role = RoleFactory.create(organization=bot.organization)
    permit(bot=of_a_role, to=role)
    role.group.user_set.add(alice.user)

    assert sight(by_token(alice)) == Sight(frozenset({bot.pk, of_a_role.pk}))


def test_operators_see_all_and_who_may_answer_nobody_does_not_listen(bot: Bot) -> None:
    operator = MembershipFactory.create(
        organization=bot.organization, user=UserFactory.create(is_staff=True)
    )
    nobody = MembershipFactory.create(organization=bot.organization)

    assert sight(by_token(operator)) == Sight(None)
    assert sight(by_token(nobody)) is None


def test_what_ends_a_membership_a_permission_or_an_account_ends_the_stream(
    alice: Membership,
) -> None:
    badge = by_token(alice)
    assert sight(badge) is not None

    Membership.objects.update(active=False)
    assert sight(badge) is None
    Membership.objects.update(active=True)

    User.objects.update(is_active=False)
    assert sight(badge) is None
    User.objects.update(is_active=True)

    BotUserPermission.objects.all().delete()
    assert sight(badge) is None


def test_a_token_that_was_revoked_or_has_expired_ends_the_stream(alice: Membership) -> None:
    badge = by_token(alice)
    later = timezone.now() + 2 * HOUR

    assert badge not in admission.sights({badge}, now=later)

    AccessToken.objects.all().delete()
    assert sight(badge) is None


def test_a_token_of_an_issuer_lasts_until_it_says(alice: Membership) -> None:
    now = timezone.now()
    badge = admission.badge(alice, Credential(expires_at=now + HOUR), SessionStore())

    assert sight(badge) is not None
    assert badge not in admission.sights({badge}, now=now + 2 * HOUR)


def test_signing_out_or_another_password_ends_the_stream_of_a_session(alice: Membership) -> None:
    badge = by_session(alice)
    assert sight(badge) is not None

    SessionStore(badge.session_key).delete()
    assert sight(badge) is None

    badge = by_session(alice)
    alice.user.set_unusable_password()
    alice.user.save()
    assert sight(badge) is None


def test_many_are_asked_about_with_as_many_queries_as_one(
    bot: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 20):
        badges = set()
        for _ in range(number):
            member = MembershipFactory.create(organization=bot.organization)
            permit(bot=bot, to=member.user)
            badges |= {by_token(member), by_session(member)}

        with django_assert_num_queries(5):
            assert admission.sights(badges, now=timezone.now()).keys() == badges
