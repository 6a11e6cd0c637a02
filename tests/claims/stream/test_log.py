from __future__ import annotations

import time

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels_app.models import Bot
from claims.models import Conversation
from claims.stream import log
from claims.stream.bookmarks import SETTLE_SECONDS, Tail
from claims.stream.log import MOST_TOLD
from tests.claims.stream.listening import PATIENCE, conversation, happened, uncommitted
from tests.factories import BotFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create()


@pytest.fixture
def one(bot: Bot) -> Conversation:
    return conversation(bot)


def look_again(tail: Tail) -> None:
    """As if long after it was begun."""
    seen = log.snapshot()
    tail.settle(
        oldest=seen.oldest, following=seen.following, now=time.monotonic() + SETTLE_SECONDS + 1
    )


def test_reading_begins_at_the_end_and_looks_back_for_what_is_missing(one: Conversation) -> None:
    happened(one, message="before")
    with uncommitted(one) as late:
        last = happened(one, message="last")

        tail = log.begin(now=0)

        assert tail.high == last
        assert late in tail.missing
        assert log.news(tail).wanted == []

    assert log.news(tail).wanted == [(late, one.organization_id)]


def test_a_gap_is_kept_while_its_transaction_goes_on_and_forgotten_when_it_was_taken_back(
    one: Conversation,
) -> None:
    with transaction.atomic():
        lost = happened(one, message="never")
        transaction.set_rollback(True)
    with uncommitted(one) as late:
        happened(one, message="last")
        tail = log.begin(now=0)
        for _ in range(10):
            look_again(tail)

        assert late in tail.missing

    # Transactions of other databases of the same server count, too.
    deadline = time.monotonic() + PATIENCE
    while tail.missing and time.monotonic() < deadline:
        look_again(tail)
    assert tail.bookmark == tail.high
    assert lost < tail.high


def test_only_what_changes_a_list_is_told(one: Conversation) -> None:
    tail = log.begin(now=0)
    told = [
        happened(one, "conversation.human_requested"),
        happened(one, "conversation.still_waiting"),
        happened(one, "conversation.claimed"),
        happened(one, "conversation.message", message="Hello?"),
        happened(one, "conversation.reply", message="Hi!"),
    ]
    happened(one, "conversation.unanswered_alarm", waited_seconds=60)
    happened(one, "bot.retrained", pages=1, source="https://example.com")

    news = log.news(tail)

    assert [number for number, _ in news.wanted] == told
    assert len(news.ids) == 7


def test_what_was_missed_is_that_of_the_organization_alone(one: Conversation) -> None:
    of_strangers = conversation(BotFactory.create())
    before = happened(one, message="before")
    own = [happened(which, message="later") for which in (one, of_strangers)][0]

    assert log.missed(after=before, organization_id=one.organization_id) == [own]


def test_too_much_is_not_told_one_by_one(one: Conversation) -> None:
    before = happened(one, message="before")
    for number in range(MOST_TOLD):
        happened(one, message=str(number))

    assert len(log.missed(after=before, organization_id=one.organization_id)) == MOST_TOLD

    happened(one, message="one more")
    with pytest.raises(log.TooMuchMissed):
        log.missed(after=before, organization_id=one.organization_id)


def test_a_bookmark_beyond_the_end_is_unknown(one: Conversation) -> None:
    last = happened(one, message="last")

    with pytest.raises(log.UnknownBookmark):
        log.missed(after=last + 1, organization_id=one.organization_id)


def test_events_come_with_how_their_conversation_stands_in_three_queries(
    bot: Bot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    events = [happened(conversation(bot, f"conv_{n}"), message=f"Hello {n}") for n in range(20)]
    unknown = conversation(bot, "gone")
    events.append(happened(unknown, message="Anybody?"))
    unknown.delete()
    Conversation.objects.update(state="resolved", left_at=timezone.now())

    with django_assert_num_queries(3):
        found = log.entries(events)

    assert [entry.event.pk for entry in found] == events[:-1]
    assert {entry.row.conversation.state for entry in found} == {"resolved"}
    assert [entry.row.words.text for entry in found if entry.row.words] == [
        f"Hello {n}" for n in range(20)
    ]
