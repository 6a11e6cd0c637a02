"""The stream of the real web server: what happens in the database is heard by who listens."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.test import Client
from django.utils import timezone

from channels_app.models import Bot, Membership
from claims import claiming
from claims.stream.hub import MOST_OF_A_PERSON
from tests.api import newcomer
from tests.claims.stream.listening import (
    PATIENCE,
    Ear,
    conversation,
    happened,
    token_for,
    uncommitted,
)
from tests.factories import BotFactory, ConnectionFactory, MembershipFactory, permit
from tests.pushbridge.server import PEOPLE_THREADS, serving
from tests.pushbridge.webhooks.signing import human_requested, signed, url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("serve")) as port:
        yield port


@pytest.fixture
def bot() -> Bot:
    return BotFactory.create(organization__slug="acme", external_id="bot_x", name="Bot X")


@pytest.fixture
def alice(bot: Bot) -> Membership:
    member = MembershipFactory.create(organization=bot.organization, user=newcomer())
    permit(bot=bot, to=member.user)
    return member


@contextlib.contextmanager
def listening(port: int, member: Membership, *, after: str | None = None) -> Iterator[Ear]:
    ear = Ear(port, member.organization.slug, token_for(member.user), after=after)
    try:
        assert ear.status == 200, ear.answer.read()
        ear.is_open()
        yield ear
    finally:
        ear.close()


def post(port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_call_that_comes_in_by_webhook_is_heard(port: int, bot: Bot, alice: Membership) -> None:
    platform = ConnectionFactory.create(organization=bot.organization)
    body = json.dumps(human_requested()).encode()
    with listening(port, alice) as ear:
        headers = signed(
            secret=platform.secret, webhook_id="msg_1", at=datetime.now(UTC), body=body
        )
        assert post(port, url(platform.pk), body, headers) == 202

        heard = ear.next()

    assert ear.answer.headers["Content-Type"] == "text/event-stream"
    assert ear.answer.headers["Cache-Control"] == "no-store"
    assert heard["type"] == "conversation.human_requested"
    assert heard["conversation"]["state"] == "waiting"
    assert heard["conversation"]["customer"] == {"id": "cus_77", "name": "Dana Reyes"}
    assert heard["conversation"]["last_message"]["text"] == heard["message"]
    listed = Client(headers={"Authorization": f"Bearer {token_for(alice.user)}"}).get(
        "/api/v1/acme/conversations/"
    )
    assert listed.json()["results"] == [heard["conversation"]]


def test_a_claim_is_heard_with_who_has_it(port: int, bot: Bot, alice: Membership) -> None:
    one = conversation(bot, waiting_since=timezone.now())
    with listening(port, alice) as ear:
        claiming.claim(conversation_id=one.pk, membership=alice, now=timezone.now())

        heard = ear.next()

    assert heard["type"] == "conversation.claimed"
    assert heard["conversation"]["state"] == "claimed"
    assert heard["conversation"]["holder"]["user_id"] == alice.user_id
    assert heard["actor"]["id"] == alice.external_id


def test_everybody_hears_of_their_own_bots_and_organization_alone(
    port: int, bot: Bot, alice: Membership
) -> None:
    of_another_bot = conversation(BotFactory.create(organization=bot.organization), "conv_2")
    of_strangers = conversation(BotFactory.create(), "conv_3")
    gina = MembershipFactory.create(organization=of_strangers.organization, user=newcomer())
    permit(bot=of_strangers.bot, to=gina.user)
    own = conversation(bot)
    with listening(port, alice) as ear, listening(port, gina) as other:
        for one in (of_another_bot, of_strangers):
            happened(one, message="not for Alice")
        last = happened(own, message="for Alice")

        assert ear.ids(1) == [last]
        assert other.next()["conversation"]["id"] == "conv_3"


def test_a_stranger_finds_no_stream_and_who_answers_nobody_has_none(
    port: int, bot: Bot, alice: Membership
) -> None:
    stranger = MembershipFactory.create(user=newcomer())
    permit(bot=bot, to=stranger.user)
    nobody = MembershipFactory.create(organization=bot.organization, user=newcomer())

    for member, status in ((stranger, 404), (nobody, 403)):
        ear = Ear(port, "acme", token_for(member.user))
        ear.close()
        assert (ear.status, ear.answer.headers["Content-Type"]) == (
            status,
            "application/problem+json",
        )


def test_a_browser_comes_in_with_its_session(port: int, bot: Bot, alice: Membership) -> None:
    browser = Client()
    browser.force_login(alice.user)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    one = conversation(bot)
    ear = Ear(port, "acme", Cookie=f"{settings.SESSION_COOKIE_NAME}={key}")
    ear.is_open()

    event = happened(one, message="Hello?")

    assert ear.ids(1) == [event]
    ear.close()


def test_who_comes_back_is_told_what_they_missed(port: int, bot: Bot, alice: Membership) -> None:
    one = conversation(bot)
    with listening(port, alice) as ear:
        first = happened(one, message="first")
        assert ear.ids(1) == [first]
        ear.is_open()  # The block after it, which moves the bookmark.
    missed = [happened(one, message=str(number)) for number in range(3)]

    with listening(port, alice, after=ear.bookmark) as ear:
        # What they have heard may come again, while something is missing before it.
        assert ear.until(missed[-1])[-3:] == missed

        last = happened(one, message="live")
        assert ear.until(last)[-1] == last


def test_what_commits_late_is_heard_although_its_id_is_smaller(
    port: int, bot: Bot, alice: Membership
) -> None:
    one = conversation(bot)
    with listening(port, alice) as ear:
        with uncommitted(one) as late:
            soon = happened(one, message="soon")
            assert late < soon
            assert ear.ids(1) == [soon]

        assert ear.ids(1) == [late]


@pytest.mark.parametrize("when", ["before they come back", "after they came back"])
def test_what_commits_late_is_told_to_who_comes_back(
    port: int, bot: Bot, alice: Membership, when: str
) -> None:
    one = conversation(bot)
    with contextlib.ExitStack() as transaction_of_late, listening(port, alice) as ear:
        late = transaction_of_late.enter_context(uncommitted(one))
        soon = happened(one, message="soon")
        assert ear.ids(1) == [soon]
        ear.is_open()
        if when == "before they come back":
            transaction_of_late.close()

        with listening(port, alice, after=ear.bookmark) as again:
            transaction_of_late.close()
            assert late in again.until(late)


def test_what_is_never_committed_holds_nothing_up(port: int, bot: Bot, alice: Membership) -> None:
    one = conversation(bot)
    with listening(port, alice) as ear:
        with transaction.atomic():
            happened(one, message="never")
            transaction.set_rollback(True)
        kept = happened(one, message="kept")

        assert ear.ids(1) == [kept]


def test_streams_survive_the_loss_of_every_connection_to_the_database(
    bot: Bot, alice: Membership, tmp_path: Path
) -> None:
    one = conversation(bot)
    before = timezone.now()
    with serving(tmp_path) as port, listening(port, alice) as ear:
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_start > %s AND backend_type = 'client backend'",
                [before],
            )
            assert cursor.fetchone()[0] > 0
        event = happened(one, message="afterwards")

        assert ear.ids(1) == [event]


def test_listeners_hold_no_thread_and_their_number_is_limited(
    port: int, bot: Bot, alice: Membership
) -> None:
    assert PEOPLE_THREADS < MOST_OF_A_PERSON
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_OF_A_PERSON):
            stack.enter_context(listening(port, alice))

        refused = Ear(port, "acme", token_for(alice.user))
        refused.close()
        assert refused.status == 429
        assert refused.answer.headers["Retry-After"] == "30"

    assert _comes_in(port, alice)


def _comes_in(port: int, member: Membership) -> bool:
    """Whether they have a place again; the server hears in its own time that others hung up."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ear = Ear(port, member.organization.slug, token_for(member.user))
        ear.close()
        if ear.status == 200:
            return True
        time.sleep(0.1)
    return False


def test_streams_end_when_the_server_stops_and_do_not_hold_it_up(
    bot: Bot, alice: Membership, tmp_path: Path
) -> None:
    with serving(tmp_path) as port:
        ear = Ear(port, "acme", token_for(alice.user))
        ear.is_open()

    # An end, and not a connection that broke off.
    assert list(ear.blocks()) == []
    ear.close()
    assert "Killing" not in (tmp_path / "log").read_text()
