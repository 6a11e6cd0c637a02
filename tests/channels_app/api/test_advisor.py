from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission

from channels_app.models import Membership, Receipt, User
from tests.api import PROBLEM, client_for, newcomer
from tests.channels_app.advisor.weeks import NOW, STUCK, banner, happened, many
from tests.factories import BotFactory, MembershipFactory, OrganizationFactory, WorkflowFactory
from tests.queries import taken_by
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/acme/advisor/"


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def leads() -> Workflow:
    acme = OrganizationFactory.create(slug="acme")
    return WorkflowFactory.create(organization=acme, external_id="wf/leads", name="Leads")


@pytest.fixture
def alice(leads: Workflow) -> Membership:
    return MembershipFactory.create(organization=leads.organization)


@pytest.fixture
def operator(leads: Workflow) -> User:
    return operator_of(leads)


def operator_of(workflow: Workflow) -> User:
    """One whom no limit has counted yet."""
    user = newcomer()
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_notification"))
    MembershipFactory.create(organization=workflow.organization, user=user)
    return user


def asked(user: User) -> Any:
    answer = client_for(user).get(ADDRESS)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_it_tells_what_went_out_and_what_could_be_set(
    leads: Workflow, alice: Membership, operator: User
) -> None:
    many(leads, alice, 80, Receipt.Kind.DISPLAYED)

    answer = asked(operator)

    tally = {
        "pushed": 80,
        "told": 80,
        "people": 1,
        "banners": 80,
        "rings": 80,
        "known": 80,
        "opened": 0,
        "read": 0,
    }
    assert (answer["since"], answer["silence"]) == ("2026-11-16T12:00:00Z", None)
    assert answer["total"] == tally
    assert answer["advice"] == [
        {
            "setting": "type_policy",
            "event_type": STUCK,
            "source": None,
            "options": [{"value": "quiet", "banners_saved": 0, "rings_saved": 80}],
            "tally": tally,
            "count": 0,
            "needless": 0,
            "own_banners": 0,
        }
    ]
    assert answer["sent"] == [
        {
            "event_type": STUCK,
            "name": "Stuck",
            "source": {"kind": "workflow", "id": "wf/leads", "name": "Leads"},
            "events": 80,
            "judgement": "rarely",
            "levels": {"loud": 80},
            "tally": tally,
        }
    ]


def test_without_anything_sent_it_says_so(operator: User) -> None:
    answer = asked(operator)

    assert (answer["advice"], answer["sent"], answer["silence"]) == ([], [], "nothing_sent")


def test_customers_nobody_came_to_are_named(leads: Workflow, operator: User) -> None:
    bot = BotFactory.create(organization=leads.organization, external_id="bot_x", name="Bot X")
    happened(bot, "conversation.human_requested")

    assert asked(operator)["missed"] == [
        {"source": {"kind": "bot", "id": "bot_x", "name": "Bot X"}, "calls": 1, "missed": 1}
    ]


def test_while_nothing_happens_it_has_not_changed(
    leads: Workflow, alice: Membership, operator: User
) -> None:
    banner(happened(leads), alice)
    client = client_for(operator)
    first = client.get(ADDRESS)

    with time_machine.travel(NOW.replace(minute=59), tick=False):
        again = client.get(ADDRESS, headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 304


def test_only_operators_may_ask(leads: Workflow, alice: Membership) -> None:
    staff = operator_of(leads)
    staff.user_permissions.clear()

    for user in (alice.user, staff):
        answer = client_for(User.objects.get(pk=user.pk)).get(ADDRESS)
        assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_outsider_finds_nothing(leads: Workflow, method: str) -> None:
    outsider = operator_of(WorkflowFactory.create())

    assert getattr(client_for(outsider), method)(ADDRESS).status_code == 404


def test_it_may_be_asked_twenty_times_a_minute(operator: User) -> None:
    client = client_for(operator)

    assert [client.get(ADDRESS).status_code for _ in range(21)] == [200] * 20 + [429]


def test_much_takes_as_many_queries_as_little(
    leads: Workflow, alice: Membership, operator: User
) -> None:
    counts = []
    for number in (1, 30):
        for _ in range(number):
            workflow = WorkflowFactory.create(organization=leads.organization)
            banner(happened(workflow), alice)
        counts.append(taken_by(partial(asked, User.objects.get(pk=operator.pk))))

    assert counts == [11, 11]
