from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_app import inbox
from channels_app.api.credentials import Scope
from channels_app.models import Event, Membership, Notification
from tests.api import PROBLEM, client_for, pointers
from tests.factories import (
    BotFactory,
    ConnectionFactory,
    EventFactory,
    MembershipFactory,
    NotificationFactory,
    OrganizationFactory,
    WorkflowFactory,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def alice() -> Membership:
    return MembershipFactory.create(organization=OrganizationFactory.create(slug="acme"))


def told(member: Membership, *, at: datetime = NOON, **fields: object) -> Notification:
    """A notification that stands in a member's inbox."""
    connection = ConnectionFactory.create(organization=member.organization)
    event = fields.pop("event", None) or EventFactory.create(connection=connection, received_at=at)
    fields = {"listed": True, "created_at": at, **fields}
    return NotificationFactory.create(event=event, membership=member, **fields)


def address(notification: Notification | None = None, tail: str = "") -> str:
    one = f"{notification.pk}/" if notification else ""
    return f"/api/v1/acme/inbox/{one}{tail}"


def listed(member: Membership, query: str = "") -> list[int]:
    answer = client_for(member.user).get(f"{address()}{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_notification_is_shown_with_all_that_is_known_of_it(alice: Membership) -> None:
    bot = BotFactory.create(organization=alice.organization, external_id="bot/x")
    event = EventFactory.create(
        connection=ConnectionFactory.create(organization=alice.organization),
        source=bot,
        subject="conv 1",
        received_at=NOON,
        occurred_at=NOON - timedelta(seconds=2),
    )
    row = told(alice, event=event)

    (entry,) = client_for(alice.user).get(address()).json()["results"]

    assert entry == {
        "id": row.pk,
        "event_id": event.pk,
        "type": "conversation.human_requested",
        "channel": "escalation",
        "level": "critical",
        "title": row.title,
        "body": row.body,
        "link": "pushbridge://app/o/acme/conversations/conv%201",
        "bot_id": "bot/x",
        "conversation_id": "conv 1",
        "workflow_id": None,
        "run_id": None,
        "occurred_at": "2026-11-23T11:59:58Z",
        "created_at": "2026-11-23T12:00:00Z",
        "outcome": "pushed",
        "held_until": None,
        "read_at": None,
        "digest": None,
    }
    assert client_for(alice.user).get(address(row)).json() == entry


def test_the_newest_comes_first_and_pages_go_on_below(alice: Membership) -> None:
    rows = [told(alice, at=NOON + timedelta(minutes=n // 2)) for n in range(5)]
    client = client_for(alice.user)

    first = client.get(f"{address()}?limit=3").json()
    second = client.get(first["next"]).json()

    found = [row["id"] for page in (first, second) for row in page["results"]]
    assert found == [row.pk for row in reversed(rows)]
    assert second["next"] is None


def test_what_the_member_did_not_want_to_hear_is_not_listed(alice: Membership) -> None:
    told(alice, listed=False, outcome="type_off")

    assert listed(alice) == []


def test_what_waits_says_until_when(alice: Membership) -> None:
    until = NOON + timedelta(hours=8)
    told(alice, outcome="held", held_until=until)
    told(alice, outcome="resolved", held_until=until, released_at=until)

    answer = client_for(alice.user).get(address()).json()["results"]

    assert [(row["outcome"], row["held_until"]) for row in answer] == [
        ("resolved", None),
        ("held", "2026-11-23T20:00:00Z"),
    ]


def test_only_the_unread_or_only_the_read(alice: Membership) -> None:
    new, old = told(alice), told(alice, read_at=NOON)

    assert listed(alice, "?unread=true") == [new.pk]
    assert listed(alice, "?unread=false") == [old.pk]


def test_only_one_channel(alice: Membership) -> None:
    told(alice)
    workflow = WorkflowFactory.create(organization=alice.organization)
    run = told(
        alice,
        event=EventFactory.create(
            connection=ConnectionFactory.create(organization=alice.organization),
            type="workflow.run_started",
            source=workflow,
            payload={},
        ),
    )

    assert listed(alice, "?channel=workflow") == [run.pk]


def test_only_what_a_digest_told_of(alice: Membership) -> None:
    digest = digest_of(alice)
    told(alice)
    row = told(alice, digest=digest)

    assert listed(alice, f"?digest={digest.pk}") == [row.pk]


def digest_of(member: Membership) -> Event:
    return EventFactory.create(
        organization=member.organization,
        connection=None,
        type="member.digest",
        source=None,
        subject="",
        payload={"data": {}},
    )


def test_a_digest_stands_in_no_list_but_is_there_for_the_device_that_got_it(
    alice: Membership,
) -> None:
    row = told(alice, event=digest_of(alice), listed=False)

    answer = client_for(alice.user).get(address(row)).json()

    assert listed(alice) == []
    assert (answer["channel"], answer["link"]) == ("notice", "pushbridge://app/o/acme/inbox")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?unread=yes", "unread"),
        ("?unread=", "unread"),
        ("?channel=notice", "channel"),
        ("?channel=", "channel"),
        ("?digest=x", "digest"),
        ("?digest=-1", "digest"),
        ("?digest=99999999999999999999", "digest"),
        ("?digest=%C2%B2", "digest"),
        ("?limit=0", "limit"),
        ("?cursor=x", "cursor"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    alice: Membership, query: str, parameter: str
) -> None:
    answer = client_for(alice.user).get(f"{address()}{query}")

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert [fault["parameter"] for fault in answer.json()["errors"]] == [parameter]


def test_many_rows_take_as_many_queries_as_one(alice: Membership) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client_for(alice.user).get(address())
        return len(queries)

    told(alice)
    one = count()
    for _ in range(20):
        told(alice)

    assert (one, count()) == (2, 2)


def test_the_badge_counts_what_is_unread(alice: Membership) -> None:
    told(alice)
    told(alice, outcome="held", held_until=NOON)
    told(alice, read_at=NOON)
    told(alice, listed=False)
    told(MembershipFactory.create(organization=alice.organization))

    assert client_for(alice.user).get(address(tail="summary/")).json() == {
        "unread": 2,
        "more": False,
    }


@pytest.mark.parametrize(("unread", "said"), [(1000, (1000, False)), (1001, (1000, True))])
def test_nobody_counts_beyond_a_thousand(
    alice: Membership, unread: int, said: tuple[int, bool]
) -> None:
    flood(alice, unread)

    answer = client_for(alice.user).get(address(tail="summary/")).json()

    assert (answer["unread"], answer["more"]) == said


def flood(member: Membership, count: int, *, read_at: datetime | None = None) -> None:
    template = EventFactory.create(source=None, subject="", payload={})
    events = Event.objects.bulk_create(
        Event(
            organization=member.organization,
            webhook_id=f"flood {read_at} {n}",
            type=template.type,
            occurred_at=NOON,
            received_at=NOON,
            route_at=NOON,
            payload={},
        )
        for n in range(count)
    )
    Notification.objects.bulk_create(
        Notification(event=event, membership=member, listed=True, created_at=NOON, read_at=read_at)
        for event in events
    )


def test_the_badge_looks_at_nothing_that_was_read(alice: Membership) -> None:
    flood(alice, 2000, read_at=NOON)
    flood(alice, 10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chatbot_notification")
    with CaptureQueriesContext(connection) as queries:
        inbox.unread(alice.pk)

    (query,) = queries.captured_queries
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Only Scan using notification_unread" in plan
    assert "Rows Removed" not in plan


def test_what_has_not_changed_is_not_counted_to_the_caller_again(alice: Membership) -> None:
    row = told(alice)
    client = client_for(alice.user)
    seen = client.get(address(tail="summary/"))["ETag"]

    same = client.get(address(tail="summary/"), headers={"If-None-Match": seen})
    client.put(address(row, "read/"))
    other = client.get(address(tail="summary/"), headers={"If-None-Match": seen})

    assert (same.status_code, other.status_code) == (304, 200)


def test_reading_counts_down_and_again_changes_nothing(alice: Membership) -> None:
    row = told(alice)
    told(alice)
    client = client_for(alice.user)

    first = client.put(address(row, "read/"))
    row.refresh_from_db()
    read_at = row.read_at
    again = client.put(address(row, "read/"))

    row.refresh_from_db()
    assert first.json() == again.json() == {"unread": 1, "more": False}
    assert read_at is not None and row.read_at == read_at


def test_what_was_read_can_be_unread_again(alice: Membership) -> None:
    row = told(alice, read_at=NOON)
    client = client_for(alice.user)

    answers = [client.delete(address(row, "read/")) for _ in range(2)]

    row.refresh_from_db()
    assert [answer.json()["unread"] for answer in answers] == [1, 1]
    assert row.read_at is None


def test_what_comes_while_one_reads_stays_unread(alice: Membership) -> None:
    old = [told(alice, at=NOON - timedelta(minutes=n)) for n in (2, 1)]
    newest, beside = told(alice), told(alice)
    told(alice, at=NOON + timedelta(seconds=1))

    answer = client_for(alice.user).post(address(tail="read-all/"), {"up_to": newest.pk})

    assert (answer.status_code, answer.json()["unread"]) == (200, 2)
    read = Notification.objects.filter(read_at__isnull=False)
    assert set(read) == {*old, newest}
    assert beside.read_at is None


def test_a_first_reading_is_not_overwritten_by_reading_all(alice: Membership) -> None:
    row = told(alice, read_at=NOON)

    client_for(alice.user).post(address(tail="read-all/"), {"up_to": row.pk})

    row.refresh_from_db()
    assert row.read_at == NOON


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"up_to": None},
        {"up_to": "x"},
        {"up_to": 0},
        {"up_to": 2**63},
        {"up_to": 1.5},
        {"up_to": 2**62},
        {"up_to": [1]},
    ],
)
def test_where_reading_all_begins_must_be_told(alice: Membership, body: object) -> None:
    row = told(alice)

    answer = client_for(alice.user).post(address(tail="read-all/"), body)

    assert answer.status_code == 400
    assert pointers(answer) == {"/up_to"}
    row.refresh_from_db()
    assert row.read_at is None


def test_reading_all_of_a_colleagues_inbox_is_refused(alice: Membership) -> None:
    theirs = told(MembershipFactory.create(organization=alice.organization))
    mine = told(alice)

    answer = client_for(alice.user).post(address(tail="read-all/"), {"up_to": theirs.pk})

    assert pointers(answer) == {"/up_to"}
    mine.refresh_from_db()
    assert mine.read_at is None


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_what_is_not_in_my_inbox_is_not_there(alice: Membership, method: str) -> None:
    elsewhere = MembershipFactory.create(user=alice.user)
    rows = [
        told(MembershipFactory.create(organization=alice.organization), read_at=NOON),
        told(elsewhere, read_at=NOON),
        told(alice, listed=False, outcome="not_subscribed", read_at=NOON),
    ]
    tail = "" if method == "get" else "read/"
    client = client_for(alice.user)

    answers = [getattr(client, method)(address(row, tail)) for row in rows]

    assert {answer.status_code for answer in answers} == {404}
    assert Notification.objects.filter(read_at=NOON).count() == 3


@pytest.mark.parametrize("tail", ["", "0/", "99999999999999999999/", "1/read/", "summary/"])
@pytest.mark.parametrize("method", ["get", "put", "delete", "post"])
def test_an_outsider_finds_no_inbox(alice: Membership, method: str, tail: str) -> None:
    stranger = MembershipFactory.create()

    answer = getattr(client_for(stranger.user), method)(f"{address()}{tail}")

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_a_token_to_read_with_marks_nothing_as_read(alice: Membership) -> None:
    row = told(alice)
    client = client_for(alice.user, scopes=frozenset({Scope.READ}))

    answers = [
        client.put(address(row, "read/")),
        client.delete(address(row, "read/")),
        client.post(address(tail="read-all/"), {"up_to": row.pk}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert client.get(address()).status_code == 200


def test_an_inbox_is_read_by_its_own_member_alone(alice: Membership) -> None:
    beside = told(MembershipFactory.create(organization=alice.organization))
    mine = told(alice)

    inbox.read_up_to(membership_id=alice.pk, newest_id=mine.pk, now=timezone.now())

    beside.refresh_from_db()
    assert beside.read_at is None
