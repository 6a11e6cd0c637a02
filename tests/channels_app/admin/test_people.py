"""Roles, users and devices."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice, WNSDevice

from channels_app import roles
from channels_app.models import Role, User
from tests.channels_app.admin.worlds import operator, superuser
from tests.factories import (
    BotFactory,
    InstallationFactory,
    MembershipFactory,
    OrganizationFactory,
    RoleFactory,
)

pytestmark = pytest.mark.django_db


def test_a_new_role_gets_its_group_by_itself(client: Client) -> None:
    organization = OrganizationFactory.create()
    client.force_login(operator(organization))
    client.post(
        reverse("admin:chatbot_role_add"), {"organization": organization.pk, "name": "Agents"}
    )
    assert Role.objects.get(name="Agents").group.user_set.count() == 0


def test_members_and_bots_of_a_role_are_chosen_on_its_page(client: Client) -> None:
    role = RoleFactory.create()
    client.force_login(operator(role.organization))
    member = MembershipFactory.create(organization=role.organization)
    bot = BotFactory.create(organization=role.organization)
    address = reverse("admin:chatbot_role_change", args=[role.pk])
    answer = client.post(address, {"name": "Agents", "members": [member.pk], "bots": [bot.pk]})
    assert answer.status_code == 302
    assert member.user.has_perm("chatbot.respond", bot)
    page = client.get(address).context["adminform"].form
    assert [row.pk for row in page.initial["members"]] == [member.pk]
    assert page.initial["bots"] == [bot.pk]


def test_a_removed_role_gives_nothing_any_more(client: Client) -> None:
    role = RoleFactory.create()
    client.force_login(operator(role.organization))
    client.post(reverse("admin:chatbot_role_delete", args=[role.pk]), {"post": "yes"})
    assert not Role.objects.filter(pk=role.pk).exists()
    assert not Group.objects.filter(pk=role.group_id).exists()


def test_who_has_one_organization_need_not_choose_it(client: Client) -> None:
    organization = OrganizationFactory.create()
    client.force_login(operator(organization))
    form = client.get(reverse("admin:chatbot_role_add")).context["adminform"].form
    assert form.initial["organization"] == organization.pk


def test_a_bot_of_another_organization_cannot_be_given_to_a_role(client: Client) -> None:
    role = RoleFactory.create()
    client.force_login(superuser())
    address = reverse("admin:chatbot_role_change", args=[role.pk])
    answer = client.post(address, {"name": "Agents", "bots": [BotFactory.create().pk]})
    assert "bots" in answer.context["adminform"].form.errors
    assert roles.bots_of(role) == []


def test_an_operator_cannot_make_anyone_a_superuser_or_set_a_password(client: Client) -> None:
    member = MembershipFactory.create()
    client.force_login(operator(member.organization))
    address = reverse("admin:chatbot_user_change", args=[member.user_id])
    assert client.get(address).status_code == 200
    assert client.post(address, {"is_superuser": "on"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[member.user_id])
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403
    assert not User.objects.get(pk=member.user_id).is_superuser


def test_a_superuser_makes_a_user_and_sets_a_password(client: Client) -> None:
    client.force_login(superuser())
    made = {"username": "new", "usable_password": "true"}
    made |= {"password1": "a-long-passw0rd", "password2": "a-long-passw0rd"}
    assert client.post(reverse("admin:chatbot_user_add"), made).status_code == 302
    assert User.objects.get(username="new").check_password("a-long-passw0rd")


@pytest.mark.parametrize("model", [APNSDevice, GCMDevice, WebPushDevice])
def test_no_page_of_a_device_sends_past_our_pipe(
    client: Client, model: type[APNSDevice | GCMDevice | WebPushDevice]
) -> None:
    client.force_login(superuser())
    address = reverse(f"admin:push_notifications_{model._meta.model_name}_changelist")
    request = client.get(address).wsgi_request
    offered = set(admin.site._registry[model].get_actions(request))
    assert offered <= {"delete_selected"}


def test_devices_of_a_retired_service_have_no_page() -> None:
    assert WNSDevice not in admin.site._registry


def test_a_token_is_never_shown_whole(client: Client) -> None:
    client.force_login(superuser())
    phone = InstallationFactory.create(apns__registration_id="f00d" * 16)
    for model, pk in (
        ("chatbot_installation", phone.pk),
        ("push_notifications_apnsdevice", phone.apns_id),
    ):
        for url in (
            reverse(f"admin:{model}_changelist"),
            reverse(f"admin:{model}_change", args=[pk]),
        ):
            html = client.get(url).content.decode()
            assert "f00d" * 16 not in html
            assert "…f00df00d" in html
