from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db.models import Model
from oauth2_provider.models import Application

from channels_app.models import (
    BotGroupPermission,
    Connection,
    Installation,
    Membership,
    Organization,
    Preference,
    Role,
    Subscription,
    User,
)
from channels_app.sandbox.process import SandboxProcess
from pushbridge.demo import seeding
from pushbridge.demo.cast import ACME, GLOBEX, TENANTS
from pushbridge.demo.sandbox import Sandbox, SandboxGone
from tests.factories import BotFactory, MembershipFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
MADE: tuple[type[Model], ...] = (
    BotGroupPermission,
    Connection,
    Installation,
    Membership,
    Organization,
    Preference,
    Role,
    Subscription,
    User,
    Application,
)


@pytest.fixture
def sandbox(wall: SandboxProcess) -> Sandbox:
    return Sandbox(wall.page_url)


def count() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in MADE}


def test_every_phone_of_the_cast_is_registered_under_its_own_address(
    sandbox: Sandbox, wall: SandboxProcess
) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    on_the_wall = {
        phone["name"]: phone["registration_id"] for phone in wall.call("GET", "/api/phones")
    }
    registered = {
        each.name: getattr(each, each.platform).registration_id
        for each in Installation.objects.select_related("apns", "fcm", "webpush")
    }
    assert registered == on_the_wall
    assert registered.keys() == {phone.name for tenant in TENANTS for _, phone in tenant.phones()}


def test_seeding_again_changes_nothing(sandbox: Sandbox) -> None:
    first = seeding.seed(sandbox=sandbox, known={}, now=NOW)
    before = count()

    again = seeding.seed(sandbox=sandbox, known=first, now=NOW)

    assert count() == before
    assert again == first


def test_what_was_removed_by_hand_is_put_back(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)
    before = count()
    Subscription.objects.all().delete()
    Installation.objects.filter(platform="fcm").delete()
    Connection.objects.filter(organization__slug=GLOBEX.slug).delete()

    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    assert count() == before


def test_agents_may_respond_to_the_bot_and_the_operator_may_not(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    group = BotGroupPermission.objects.get(content_object__organization__slug=ACME.slug).group

    assert set(group.user_set.values_list("username", flat=True)) == {"alice", "bob", "carol"}


def test_who_was_given_the_role_by_hand_keeps_it(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)
    role = Role.objects.get(organization__slug=ACME.slug)
    zoe = MembershipFactory.create(organization=role.organization)
    role.group.user_set.add(zoe.user)
    other_bot = BotFactory.create(organization=role.organization)

    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    assert role.group.user_set.filter(pk=zoe.user.pk).exists()
    assert BotGroupPermission.objects.filter(group=role.group, content_object=other_bot).exists()


def test_each_login_opens_with_the_password_that_is_answered(sandbox: Sandbox) -> None:
    passwords = seeding.seed(sandbox=sandbox, known={}, now=NOW)

    signed_in = {name: User.objects.get(username=name) for name in passwords}

    assert all(user.check_password(passwords[name]) for name, user in signed_in.items())
    assert {name: (u.is_staff, u.is_superuser) for name, u in signed_in.items()} == {
        "admin": (True, True),
        "olivia": (True, False),
    }


def test_the_operator_may_look_at_everything_and_arrange_people_only(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    olivia = User.objects.get(username="olivia")

    assert olivia.has_perm("chatbot.view_delivery")
    assert olivia.has_perm("chatbot.add_membership")
    assert not olivia.has_perm("chatbot.change_delivery")
    assert not olivia.has_perm("chatbot.change_user")
    assert not olivia.has_perm("chatbot.respond")


def test_a_password_that_was_changed_since_is_left_alone(sandbox: Sandbox) -> None:
    passwords = seeding.seed(sandbox=sandbox, known={}, now=NOW)
    admin = User.objects.get(username="admin")
    admin.set_password("one of my own")
    admin.save()

    seeding.seed(sandbox=sandbox, known=passwords, now=NOW)

    admin.refresh_from_db()
    assert admin.check_password("one of my own")


def test_a_new_database_opens_with_the_passwords_that_were_kept(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={"admin": "kept from before"}, now=NOW)

    assert User.objects.get(username="admin").check_password("kept from before")


def test_agents_have_no_password_that_could_be_guessed(sandbox: Sandbox) -> None:
    seeding.seed(sandbox=sandbox, known={}, now=NOW)

    assert not any(
        user.has_usable_password()
        for user in User.objects.filter(memberships__isnull=False, is_staff=False)
    )


def test_without_a_sandbox_there_is_only_somebody_who_can_sign_in() -> None:
    passwords = seeding.seed(sandbox=None, known={}, now=NOW)

    assert list(passwords) == ["admin"]
    assert list(User.objects.values_list("username", flat=True)) == ["admin"]
    assert not Organization.objects.exists()


def test_a_sandbox_that_is_gone_leaves_everything_as_it_was() -> None:
    before = count()

    with pytest.raises(SandboxGone):
        seeding.seed(sandbox=Sandbox("http://127.0.0.1:9"), known={}, now=NOW)

    assert count() == before
