from __future__ import annotations

from typing import Any

import pytest

from channels_app.models import ChannelPreference, Membership
from tests.api import client_for, pointers
from tests.factories import ChannelPolicyFactory, ChannelPreferenceFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def of_channel(member: Membership, channel: str) -> str:
    return f"/api/v1/{member.organization.slug}/preferences/channels/{channel}/"


def test_the_channels_say_what_breaks_through_quiet_hours() -> None:
    me = MembershipFactory.create()
    ChannelPolicyFactory.create(organization=me.organization, channel="workflow", enabled=False)
    ChannelPreferenceFactory.create(
        membership=me, channel="workflow", overrides_quiet_hours=True, phone_only=True
    )

    answer = client_for(me.user).get(f"/api/v1/{me.organization.slug}/preferences/")

    assert answer.json()["channels"] == [
        {
            "channel": "escalation",
            "name": "Customer requested human",
            "enabled": True,
            "overrides_quiet_hours": None,
            "breaks_through": True,
            "phone_only": False,
        },
        {
            "channel": "auto_update",
            "name": "Agent auto-update",
            "enabled": True,
            "overrides_quiet_hours": None,
            "breaks_through": False,
            "phone_only": False,
        },
        {
            "channel": "workflow",
            "name": "Workflow status",
            "enabled": False,
            "overrides_quiet_hours": True,
            "breaks_through": True,
            "phone_only": True,
        },
    ]


def test_what_is_not_sent_stays_and_null_takes_it_back() -> None:
    me = MembershipFactory.create()
    client, address = client_for(me.user), of_channel(me, "escalation")

    client.patch(address, {"overrides_quiet_hours": False})
    both = client.patch(address, {"phone_only": True})
    unset = client.patch(address, {"overrides_quiet_hours": None})

    assert (both.json()["overrides_quiet_hours"], both.json()["breaks_through"]) == (False, False)
    assert (unset.json()["overrides_quiet_hours"], unset.json()["breaks_through"]) == (None, True)
    assert unset.json()["phone_only"] is True
    assert client.get(address).json() == unset.json()


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"overrides_quiet_hours": "perhaps"}, {"/overrides_quiet_hours"}),
        ({"overrides_quiet_hours": 2}, {"/overrides_quiet_hours"}),
        ({"phone_only": None}, {"/phone_only"}),
        ({"phone_only": []}, {"/phone_only"}),
        ({"on": True}, {"/on"}),
        ([], {""}),
    ],
)
def test_what_cannot_be_used_is_named(body: Any, places: set[str]) -> None:
    me = MembershipFactory.create()

    answer = client_for(me.user).patch(of_channel(me, "workflow"), body)

    assert answer.status_code == 400
    assert pointers(answer) == places


def test_what_only_operators_change_stays() -> None:
    me = MembershipFactory.create()
    ChannelPolicyFactory.create(organization=me.organization, channel="workflow", enabled=False)

    answer = client_for(me.user).patch(of_channel(me, "workflow"), {"enabled": True})

    assert (answer.status_code, answer.json()["enabled"]) == (200, False)


def test_an_outsider_changes_nothing() -> None:
    member, outsider = MembershipFactory.create_batch(2)

    answer = client_for(outsider.user).patch(of_channel(member, "workflow"), {"phone_only": True})

    assert answer.status_code == 404
    assert not ChannelPreference.objects.exists()


def test_a_change_that_was_based_on_something_older_is_refused() -> None:
    me = MembershipFactory.create()
    client, address = client_for(me.user), of_channel(me, "workflow")
    seen = {"If-Match": client.get(address)["ETag"]}

    changed = client.patch(address, {"phone_only": True}, headers=seen)
    too_late = client.patch(address, {"phone_only": False}, headers=seen)

    assert [changed.status_code, too_late.status_code] == [200, 412]
