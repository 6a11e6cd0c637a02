"""What operators set for all, and what they see and mend of what members set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from channels_app import policies
from channels_app.event_types import Channel
from channels_app.models import (
    ChannelPolicy,
    ChannelPreference,
    Installation,
    Membership,
    Notification,
    Organization,
    Preference,
    QuietWindow,
    Receipt,
    Snooze,
    Subscription,
    TypePolicy,
)
from channels_app.preferences import SETTABLE
from channels_app.why.places import KEPT, Page
from tests.channels_app.admin.worlds import operator, superuser
from tests.factories import (
    BotFactory,
    ChannelPolicyFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    QuietWindowFactory,
    TypePolicyFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
INLINES = ("subscriptions", "preferences", "channel_preferences", "quiet_windows", "snoozes")


@pytest.fixture
def acme() -> Organization:
    return OrganizationFactory.create(name="Acme", slug="acme")


@pytest.fixture
def member(acme: Organization) -> Membership:
    return MembershipFactory.create(organization=acme, user__time_zone="Europe/Berlin")


@pytest.fixture
def as_operator(client: Client, acme: Organization) -> Client:
    client.force_login(operator(acme))
    return client


def page(row: Any) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return reverse(name, args=[row.pk])


# --- an organization -------------------------------------------------------------------------


def organization_form(client: Client, acme: Organization, **changes: object) -> dict[str, Any]:
    """What a browser sends that changed nothing, but for these."""
    form = client.get(page(acme)).context["adminform"].form
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent |= {"claim_window": "00:15:00", **changes}
    return {name: value for name, value in sent.items() if value not in (None, False)}


def test_every_channel_and_type_is_there_with_its_default_and_what_is_in_effect(
    as_operator: Client, acme: Organization
) -> None:
    TypePolicyFactory.create(organization=acme, event_type="bot.tool_linked", level="quiet")
    ChannelPolicyFactory.create(organization=acme, channel="workflow")

    form = as_operator.get(page(acme)).context["adminform"].form

    assert {f"type_{name}" for name in SETTABLE} < set(form.fields)
    assert form.initial["type_bot.tool_linked"] == "quiet"
    linked = form.fields["type_bot.tool_linked"]
    assert linked.choices[0] == ("", "As by default: loud")
    assert "By default: loud. In effect, unless members set their own: quiet." in linked.help_text
    finished = form.fields["type_workflow.run_finished"]
    assert finished.choices[0] == ("", "As by default: quiet; a failure loud")
    assert "In effect: nothing, the channel is off." in finished.help_text
    assert not form.initial["channel_workflow"] and form.initial["channel_escalation"]


def test_what_is_sent_back_as_it_was_changes_nothing(
    as_operator: Client, acme: Organization
) -> None:
    TypePolicyFactory.create(organization=acme, event_type="bot.tool_linked", level="quiet")
    before = Organization.objects.values().get()

    answer = as_operator.post(page(acme), organization_form(as_operator, acme))

    assert answer.status_code == 302
    assert Organization.objects.values().get() == before
    assert list(TypePolicy.objects.values_list("event_type", "level")) == [
        ("bot.tool_linked", "quiet")
    ]
    assert not ChannelPolicy.objects.exists()


def test_operators_set_levels_switch_channels_and_bound_banners(
    as_operator: Client, acme: Organization
) -> None:
    TypePolicyFactory.create(organization=acme, event_type="bot.tool_linked", level="quiet")
    changes = {
        "type_bot.tool_linked": "",
        "type_workflow.step_completed": "quiet",
        "channel_escalation": None,
        "banners_per_minute": "5",
        "privacy": "redacted",
    }

    as_operator.post(page(acme), organization_form(as_operator, acme, **changes))

    policy = policies.of(acme.pk)
    assert dict(policy.levels) == {"workflow.step_completed": "quiet"}
    assert policy.channels_off == {Channel.ESCALATION}
    acme.refresh_from_db()
    assert (acme.banners_per_minute, acme.privacy) == (5, "redacted")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type_bot.tool_linked", "critical"),
        ("type_bot.tool_linked", "deafening"),
        ("banners_per_minute", "0"),
        ("privacy", "none"),
    ],
)
def test_what_cannot_be_set_is_said_beside_its_field(
    as_operator: Client, acme: Organization, field: str, value: str
) -> None:
    sent = organization_form(as_operator, acme, **{field: value})

    answer = as_operator.post(page(acme), sent)

    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert field in form.errors or form.non_field_errors()
    assert not TypePolicy.objects.exists()


def test_who_may_only_look_sees_it_all_and_changes_nothing(
    client: Client, acme: Organization
) -> None:
    looker = UserFactory.create(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_organization"))
    MembershipFactory.create(organization=acme, user=looker)
    client.force_login(looker)
    TypePolicyFactory.create(organization=acme, event_type="bot.tool_linked", level="off")

    html = client.get(page(acme)).content.decode()

    assert "bot.tool_linked" in html and "Customer requested human" in html
    assert client.post(page(acme), {"name": "Mine"}).status_code == 403


def test_a_setting_that_decided_is_a_field_of_the_page(
    as_operator: Client, acme: Organization
) -> None:
    html = as_operator.get(page(acme)).content.decode()

    assert 'id="id_type_bot.tool_linked"' in html
    assert 'id="id_channel_auto_update"' in html


# --- a member --------------------------------------------------------------------------------


def member_form(member: Membership, **rows: list[Mapping[str, object]]) -> dict[str, Any]:
    """What a browser sends: these rows of each kind, those with an `id` being there already."""
    sent: dict[str, Any] = {"external_id": member.external_id, "active": "on", "privacy": ""}
    for inline in INLINES:
        given = rows.get(inline, [])
        sent[f"{inline}-TOTAL_FORMS"] = len(given)
        sent[f"{inline}-INITIAL_FORMS"] = sum("id" in row for row in given)
        for number, row in enumerate(given):
            sent |= {f"{inline}-{number}-{name}": value for name, value in row.items()}
            sent[f"{inline}-{number}-membership"] = member.pk
    return sent


NIGHTS = {"days": ["1", "2", "3", "4", "5", "6", "7"], "start": "22:00", "end": "07:00"}


def faults(answer: Any) -> str:
    """What the page finds fault with, in one text."""
    assert answer.status_code == 200, "it was saved"
    formsets = answer.context["inline_admin_formsets"]
    return " ".join(f"{one.formset.errors} {one.formset.non_form_errors()}" for one in formsets)


def test_every_setting_of_a_member_is_on_their_page(
    as_operator: Client, member: Membership
) -> None:
    bot = BotFactory.create(organization=member.organization)
    until = timezone.now() + timedelta(hours=2)
    rows: dict[str, list[Mapping[str, object]]] = {
        "subscriptions": [{"source": bot.pk, "level": "quiet"}],
        "preferences": [{"event_type": "bot.retrained", "source": bot.pk, "level": "loud"}],
        "channel_preferences": [
            {"channel": "escalation", "overrides_quiet_hours": "False", "phone_only": "on"}
        ],
        "quiet_windows": [{**NIGHTS, "days": ["6", "7"]}],
        "snoozes": [
            {
                "source": bot.pk,
                "subject": "conv_1",
                "until_0": f"{until:%Y-%m-%d}",
                "until_1": f"{until:%H:%M}",
            }
        ],
    }

    answer = as_operator.post(page(member), member_form(member, **rows) | {"privacy": "ids"})

    assert answer.status_code == 302, faults(answer)
    assert Subscription.objects.get().level == "quiet"
    assert (Preference.objects.get().level, Preference.objects.get().source_id) == ("loud", bot.pk)
    preference = ChannelPreference.objects.get()
    assert (preference.overrides_quiet_hours, preference.phone_only) == (False, True)
    window = QuietWindow.objects.get()
    assert (window.days, window.start, window.end) == ([6, 7], time(22), time(7))
    assert Snooze.objects.get().subject == "conv_1"
    member.refresh_from_db()
    assert member.privacy == "ids"


def test_quiet_hours_are_read_back_in_the_members_zone(
    as_operator: Client, member: Membership
) -> None:
    QuietWindowFactory.create(membership=member)
    QuietWindowFactory.create(membership=member, days=[6, 7], start=time(0), end=time(0))

    html = as_operator.get(page(member)).content.decode()

    assert (
        "Quiet every day from 22:00 to 07:00 of the next day; on Saturday and Sunday the whole day;"
        " by the clock of Europe/Berlin."
    ) in html


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ({"quiet_windows": [{**NIGHTS, "days": []}]}, "Choose a day at least."),
        ({"quiet_windows": [{**NIGHTS, "days": ["8"]}]}, "8 is not one of the available"),
        ({"quiet_windows": [{**NIGHTS, "start": "22:00:30"}]}, "It must be a whole minute."),
        ({"quiet_windows": [{**NIGHTS, "end": "25:00"}]}, "Enter a valid time."),
        ({"quiet_windows": [NIGHTS] * 29}, "windows has more than 28 windows."),
        (
            {"preferences": [{"event_type": "bot.retrained", "level": "critical"}]},
            "Only escalations can be critical.",
        ),
        (
            {"preferences": [{"event_type": "bot.renamed", "level": "off"}]},
            "bot.renamed is not one of the available",
        ),
        (
            {"preferences": [{"event_type": "bot.retrained", "level": "off"}] * 2},
            "It is set twice, for the same source.",
        ),
        ({"snoozes": [{"subject": "conv_1"}]}, "It needs the bot or workflow whose it is."),
        (
            {"snoozes": [{"until_0": "2020-01-01", "until_1": "00:00"}]},
            "It must be in the future, and within 7 days.",
        ),
        ({"channel_preferences": [{"channel": "notice"}]}, "notice is not one of the available"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(
    as_operator: Client,
    member: Membership,
    rows: dict[str, list[Mapping[str, object]]],
    fault: str,
) -> None:
    answer = as_operator.post(page(member), member_form(member, **rows))

    assert fault in faults(answer)
    assert not QuietWindow.objects.exists() and not Preference.objects.exists()


@pytest.mark.parametrize("inline", ["subscriptions", "preferences", "snoozes"])
def test_a_source_of_another_organization_is_refused(
    client: Client, member: Membership, inline: str
) -> None:
    client.force_login(superuser())
    foreign = BotFactory.create().pk
    rows: dict[str, Mapping[str, object]] = {
        "subscriptions": {"source": foreign},
        "preferences": {"source": foreign, "event_type": "bot.retrained", "level": "off"},
        "snoozes": {"source": foreign, "until_0": _tomorrow(), "until_1": "00:00"},
    }

    answer = client.post(page(member), member_form(member, **{inline: [rows[inline]]}))

    assert "belongs to another organization" in faults(answer)


def _tomorrow() -> str:
    return f"{timezone.now() + timedelta(days=1):%Y-%m-%d}"


def held(member: Membership) -> Notification:
    """Something that waits until the morning."""
    return NotificationFactory.create(
        event__connection__organization=member.organization,
        membership=member,
        outcome="held",
        held_until=datetime.now(UTC) + timedelta(days=1),
    )


def due(row: Notification) -> bool:
    row.refresh_from_db()
    return row.held_until is not None and row.held_until <= timezone.now()


@pytest.mark.parametrize("inline", ["quiet_windows", "snoozes", "channel_preferences"])
def test_what_is_held_is_judged_again_when_its_time_may_be_another(
    as_operator: Client, member: Membership, inline: str
) -> None:
    rows: dict[str, Mapping[str, object]] = {
        "quiet_windows": NIGHTS,
        "snoozes": {"until_0": _tomorrow(), "until_1": "00:00"},
        "channel_preferences": {"channel": "workflow", "overrides_quiet_hours": "True"},
    }
    waiting = held(member)

    as_operator.post(page(member), member_form(member, **{inline: [rows[inline]]}))

    assert due(waiting)


def test_what_is_held_stays_when_something_else_changes(
    as_operator: Client, member: Membership
) -> None:
    waiting = held(member)

    as_operator.post(page(member), member_form(member) | {"external_id": "u8"})

    assert not due(waiting)


def test_a_removed_window_is_gone(as_operator: Client, member: Membership) -> None:
    window = QuietWindowFactory.create(membership=member)
    waiting = held(member)

    row = {**NIGHTS, "id": window.pk, "DELETE": "on"}
    as_operator.post(page(member), member_form(member, quiet_windows=[row]))

    assert not QuietWindow.objects.exists()
    assert due(waiting)


def test_who_moves_has_what_is_held_judged_again(client: Client, member: Membership) -> None:
    client.force_login(superuser())
    waiting = held(member)
    form = client.get(page(member.user)).context["adminform"].form
    sent = {"username": form.initial["username"], "is_active": "on", "time_zone": "Asia/Tokyo"}

    assert client.post(page(member.user), _without_inlines(sent)).status_code == 302

    assert due(waiting)
    member.user.refresh_from_db()
    assert member.user.time_zone == "Asia/Tokyo"


def _without_inlines(sent: dict[str, str]) -> dict[str, str]:
    management = ("memberships", "installations")
    numbers = {f"{name}-{what}_FORMS": "0" for name in management for what in ("TOTAL", "INITIAL")}
    return {**sent, **numbers}


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("locale", "tlh")])
def test_a_zone_or_language_that_there_is_not_is_refused(
    client: Client, member: Membership, field: str, value: str
) -> None:
    client.force_login(superuser())
    sent = {"username": member.user.username, "is_active": "on", field: value}

    answer = client.post(page(member.user), _without_inlines(sent))

    assert field in answer.context["adminform"].form.errors


def test_the_parts_of_the_page_are_where_why_leads_to(
    as_operator: Client, member: Membership
) -> None:
    html = as_operator.get(page(member)).content.decode()

    parts = {kept.part for kept in KEPT.values() if kept.page is Page.MEMBERSHIP and kept.part}
    assert {part for part in parts if f'id="{part}"' not in html} == set()
    assert len(parts) == 5


# --- devices, notifications, deliveries ------------------------------------------------------


def test_a_device_is_muted_by_ticking_channels(as_operator: Client, member: Membership) -> None:
    phone = InstallationFactory.create(user=member.user, app_version="4.2", locale="de-AT")

    html = as_operator.get(page(phone)).content.decode()
    sent = {"name": "Old phone", "muted_channels": ["workflow", "auto_update"], "privacy": "ids"}
    answer = as_operator.post(page(phone), {**sent, **_no_deliveries()})

    assert "de-AT" in html and "4.2" in html
    assert answer.status_code == 302
    phone = Installation.objects.get()
    assert set(phone.muted_channels) == {"auto_update", "workflow"}
    assert (phone.name, phone.privacy) == ("Old phone", "ids")


def _no_deliveries() -> dict[str, str]:
    return {"deliveries-TOTAL_FORMS": "0", "deliveries-INITIAL_FORMS": "0"}


@pytest.mark.parametrize(("field", "value"), [("muted_channels", ["notice"]), ("privacy", "none")])
def test_a_device_cannot_be_set_to_what_there_is_not(
    as_operator: Client, member: Membership, field: str, value: object
) -> None:
    phone = InstallationFactory.create(user=member.user)

    answer = as_operator.post(page(phone), {field: value, **_no_deliveries()})

    assert field in answer.context["adminform"].form.errors


def test_a_notification_says_until_when_it_was_kept_and_leads_to_its_digest(
    as_operator: Client, acme: Organization
) -> None:
    digest = EventFactory.create(
        connection__organization=acme,
        type="member.digest",
        source=None,
        payload={"data": {"count": 1}},
    )
    kept = NotificationFactory.create(
        event__connection__organization=acme,
        held_until=datetime(2026, 11, 24, 6, tzinfo=UTC),
        released_at=datetime(2026, 11, 24, 6, 0, 1, tzinfo=UTC),
        digest=digest,
        listed=True,
    )
    plain = NotificationFactory.create(event__connection__organization=acme)

    html = as_operator.get(page(kept)).content.decode()

    assert "2026-11-24 06:00:00" in html and "2026-11-24 06:00:01" in html and "Unread." in html
    assert page(digest) in html
    assert "Kept for later" not in as_operator.get(page(plain)).content.decode()


def test_a_digest_leads_to_what_it_told_of(as_operator: Client, acme: Organization) -> None:
    digest = EventFactory.create(
        connection__organization=acme,
        type="member.digest",
        source=None,
        payload={"data": {"count": 30}},
    )
    told = NotificationFactory.create_batch(30, event__connection__organization=acme, digest=digest)

    html = as_operator.get(page(digest)).content.decode()
    listing = reverse("admin:chatbot_notification_changelist")
    found = as_operator.get(listing, {"q": str(digest.pk)}).context["cl"].queryset

    assert page(told[-1]) in html and page(told[0]) not in html
    assert set(found) == set(told)


def test_what_waits_is_found_by_a_filter(as_operator: Client, member: Membership) -> None:
    waiting = held(member)
    over = held(member)
    Notification.objects.filter(pk=over.pk).update(released_at=timezone.now())
    listing = reverse("admin:chatbot_notification_changelist")

    found = {
        choice: list(as_operator.get(listing, {"waiting": choice}).context["cl"].queryset)
        for choice in ("yes", "no")
    }

    assert found == {"yes": [waiting], "no": [over]}


def test_receipts_are_on_the_page_of_their_delivery(
    as_operator: Client, acme: Organization
) -> None:
    delivery = DeliveryFactory.create(
        notification__event__connection__organization=acme, accepted=True
    )
    Receipt.objects.create(
        delivery=delivery,
        kind="action",
        action="claim",
        occurred_at=timezone.now(),
        received_at=timezone.now(),
    )

    html = as_operator.get(page(delivery)).content.decode()

    assert "Button" in html and "claim" in html
