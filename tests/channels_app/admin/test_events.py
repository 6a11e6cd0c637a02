"""The pages of events, notifications and deliveries: the way through, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from channels_app.models import Attempt, Delivery, Event, Notification
from tests.channels_app.admin.worlds import operator, superuser
from tests.factories import (
    AttemptFactory,
    ConversationFactory,
    DeliveryFactory,
    EventFactory,
    InstallationFactory,
    MembershipFactory,
    NotificationFactory,
    RunFactory,
)

pytestmark = pytest.mark.django_db

EVENTS = reverse("admin:chatbot_event_changelist")


@pytest.fixture
def as_superuser(client: Client) -> Client:
    client.force_login(superuser())
    return client


def page(row: Event | Notification | Delivery | Attempt) -> str:
    return reverse(f"admin:chatbot_{row._meta.model_name}_change", args=[row.pk])


def html(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def quarantined() -> Event:
    return EventFactory.create(
        state=Event.State.QUARANTINED, route_attempts=4, route_error="KeyError: 'tone'"
    )


def test_links_lead_from_an_event_to_its_attempts_and_back(as_superuser: Client) -> None:
    attempt = AttemptFactory.create(delivery__accepted=True)
    delivery = attempt.delivery
    notification = delivery.notification
    way: list[Event | Notification | Delivery | Attempt]
    way = [notification.event, notification, delivery, attempt]
    for here, there in zip(way, way[1:], strict=False):
        assert page(there) in html(as_superuser, page(here))
        assert page(here) in html(as_superuser, page(there))


def test_an_event_leads_to_its_conversation(as_superuser: Client) -> None:
    conversation = ConversationFactory.create()
    event = EventFactory.create(
        source=conversation.bot,
        subject=conversation.external_id,
        facts={"conversation": conversation.pk, "epoch": 1},
    )
    address = reverse("admin:claims_conversation_change", args=[conversation.pk])
    assert address in html(as_superuser, page(event))
    assert page(event) in html(as_superuser, address)


def test_an_event_leads_to_its_run(as_superuser: Client) -> None:
    run = RunFactory.create()
    event = EventFactory.create(
        type="workflow.run_started", source=run.workflow, subject=run.external_id, payload={}
    )
    found = reverse("admin:workflows_run_changelist") + f"?q={run.external_id}"
    assert found in html(as_superuser, page(event))
    address = reverse("admin:workflows_run_change", args=[run.pk])
    assert address in html(as_superuser, found)
    assert page(event) in html(as_superuser, address)


def test_the_banner_is_shown_as_on_a_lock_screen(as_superuser: Client) -> None:
    notification = NotificationFactory.create(title="🆘 Customer escalation: Bot X", body="a\nb")
    shown = html(as_superuser, page(notification))
    assert '<div class="pb-banner-title">🆘 Customer escalation: Bot X</div>' in shown
    assert '<div class="pb-banner-body">a\nb</div>' in shown


@pytest.mark.parametrize("count", [1, 20])
def test_an_events_page_takes_as_many_queries_for_many_people(
    as_superuser: Client, count: int
) -> None:
    event = EventFactory.create()
    for _ in range(count):
        membership = MembershipFactory.create(organization=event.organization)
        notification = NotificationFactory.create(event=event, membership=membership)
        for installation in InstallationFactory.create_batch(2, user=membership.user):
            DeliveryFactory.create(notification=notification, installation=installation)
    html(as_superuser, page(event))  # what is cached for the life of a process
    with CaptureQueriesContext(connection) as captured:
        html(as_superuser, page(event))
    assert len(captured) == 14


def test_a_hundred_people_are_shown_a_page_at_a_time(as_superuser: Client) -> None:
    event = EventFactory.create()
    NotificationFactory.create_batch(60, event=event)
    assert html(as_superuser, page(event)).count("pb-pill pb-good") < 40


@pytest.mark.parametrize("by", ["number", "hash", "webhook_id", "subject"])
def test_an_event_is_found_by_every_id_that_it_has(as_superuser: Client, by: str) -> None:
    event = EventFactory.create(webhook_id="msg_a", subject="conv_a")
    EventFactory.create()
    terms = {"number": str(event.pk), "hash": f"#{event.pk}"}
    term = terms.get(by) or str(getattr(event, by))
    found = as_superuser.get(EVENTS, {"q": term}).context["cl"].queryset
    assert list(found) == [event]


@pytest.mark.parametrize("term", ["9" * 30, "²", "\x00x", "%", "' OR 1=1", "-1"])
def test_a_strange_search_finds_nothing(as_superuser: Client, term: str) -> None:
    EventFactory.create()
    assert as_superuser.get(EVENTS, {"q": term}).status_code == 200


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"state": "quarantined"}, 1),
        ({"type": "unknown"}, 1),
        ({"type": "conversation.human_requested"}, 2),
        ({"period": "24h"}, 2),
        ({"state": "nonsense", "period": "nonsense"}, 0),
    ],
)
def test_events_are_filtered(as_superuser: Client, filters: dict[str, str], count: int) -> None:
    quarantined()
    EventFactory.create(received_at=timezone.now() - timedelta(days=3))
    EventFactory.create(type="bot.renamed", payload={})
    assert as_superuser.get(EVENTS, filters).context["cl"].queryset.count() == count


def test_a_quarantined_event_is_routed_again_from_its_page(as_superuser: Client) -> None:
    event = quarantined()
    url = reverse("admin:chatbot_event_route_this_again", args=[event.pk])
    assert url in html(as_superuser, page(event))
    answer = as_superuser.post(url, {"_form_submitted": "on"})
    assert answer.headers["HX-Redirect"] == page(event)
    event.refresh_from_db()
    assert (event.state, event.route_attempts, event.route_error) == ("received", 0, "")


def test_looking_at_the_question_routes_nothing(as_superuser: Client) -> None:
    event = quarantined()
    as_superuser.get(reverse("admin:chatbot_event_route_this_again", args=[event.pk]))
    event.refresh_from_db()
    assert event.state == Event.State.QUARANTINED


def test_of_many_chosen_events_the_quarantined_are_routed_again(as_superuser: Client) -> None:
    stuck, done = quarantined(), EventFactory.create(state=Event.State.ROUTED)
    as_superuser.post(
        EVENTS, {"action": "route_again", "_selected_action": [str(stuck.pk), str(done.pk)]}
    )
    stuck.refresh_from_db()
    done.refresh_from_db()
    assert (stuck.state, done.state) == (Event.State.RECEIVED, Event.State.ROUTED)


def test_nobody_routes_the_events_of_another_organization(client: Client) -> None:
    event, own = quarantined(), quarantined()
    client.force_login(operator(own.organization))
    url = reverse("admin:chatbot_event_route_this_again", args=[event.pk])
    assert client.post(url, {"_form_submitted": "on"}).status_code in (403, 404)
    client.post(EVENTS, {"action": "route_again", "_selected_action": [str(event.pk)]})
    event.refresh_from_db()
    assert event.state == Event.State.QUARANTINED


def test_who_may_only_look_cannot_route_again(client: Client) -> None:
    event = quarantined()
    user = operator(event.organization)
    user.user_permissions.remove(*user.user_permissions.filter(codename="change_event"))
    client.force_login(user)
    url = reverse("admin:chatbot_event_route_this_again", args=[event.pk])
    assert url not in html(client, page(event))
    assert client.post(url, {"_form_submitted": "on"}).status_code == 403
