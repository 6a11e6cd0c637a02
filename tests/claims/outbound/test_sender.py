from __future__ import annotations

import json
import time

import pytest
import time_machine
import trustme
from standardwebhooks import Webhook

from claims.models import Endpoint, Message, MessageAttempt
from claims.outbound import endpoints
from claims.outbound.sender import Sender
from tests.claims.outbound.conftest import NOW, Senders, Time
from tests.claims.outbound.receiver import Reaction, Receiver, receiving
from tests.factories import EndpointFactory, MessageFactory

pytestmark = pytest.mark.django_db


def message(url: str, **values: object) -> Message:
    """One that is due to an endpoint there."""
    endpoint = EndpointFactory.create(url=url)
    return MessageFactory.create(endpoint=endpoint, created_at=NOW, **values)


def finish(sender: Sender, *, seconds: float = 10.0) -> None:
    """Work until nothing is due nor under way."""
    end = time.monotonic() + seconds
    while sender.work(seconds=0.05):
        assert time.monotonic() < end, "it does not end"


def only_try() -> tuple[str, int | None, str]:
    attempt = MessageAttempt.objects.get()
    return attempt.outcome, attempt.status, attempt.reason


@time_machine.travel(NOW)
def test_the_reference_library_verifies_what_is_sent(sender: Sender, receiver: Receiver) -> None:
    sent = message(receiver.url, body='{"type": "conversation.claimed", "name": "Jürgen 🆘"}')

    finish(sender)

    (seen,) = receiver.seen
    assert Webhook(sent.endpoint.secret).verify(seen.body, dict(seen.headers)) == json.loads(
        sent.body
    )
    assert seen.id == sent.webhook_id
    assert seen.headers["content-type"] == "application/json"
    sent.refresh_from_db()
    assert (sent.state, sent.attempts) == ("delivered", 1)
    assert only_try() == ("delivered", 204, "")


@time_machine.travel(NOW)
def test_during_a_rotation_either_secret_verifies(sender: Sender, receiver: Receiver) -> None:
    sent = message(receiver.url)
    old = sent.endpoint.secret
    new = endpoints.rotate(endpoint_id=sent.endpoint.pk, now=NOW)

    finish(sender)

    (seen,) = receiver.seen
    for live in (old, new):
        Webhook(live).verify(seen.body, dict(seen.headers))
    assert seen.headers["webhook-signature"].count("v1,") == 2


def test_after_a_rotation_only_the_new_secret_signs(
    sender: Sender, receiver: Receiver, clock: Time
) -> None:
    sent = message(receiver.url)
    endpoints.rotate(endpoint_id=sent.endpoint.pk, now=NOW)
    clock.pass_by(hours=24)

    finish(sender)

    assert receiver.seen[0].headers["webhook-signature"].count("v1,") == 1


@pytest.mark.parametrize(
    ("reaction", "outcome", "status", "reason"),
    [
        (Reaction(200, body=b"thanks"), "delivered", 200, ""),
        (Reaction(202, body=b"x" * 100_000), "delivered", 202, ""),
        (Reaction(500, body=b"x" * 100_000), "refused", 500, ""),
        (Reaction(404), "refused", 404, ""),
        (Reaction(307, {"location": "https://127.0.0.1/"}), "refused", 307, "RedirectNotFollowed"),
        (Reaction(reset=True), "unanswered", None, "ConnectionLost"),
    ],
    ids=["200", "large 202", "large 500", "404", "redirect", "reset"],
)
def test_each_answer_is_recorded_for_what_it_is(
    sender: Sender,
    receiver: Receiver,
    reaction: Reaction,
    outcome: str,
    status: int | None,
    reason: str,
) -> None:
    receiver.react = lambda seen: reaction
    sent = message(receiver.url)

    finish(sender)

    assert len(receiver.seen) == 1
    assert only_try() == (outcome, status, reason)
    sent.refresh_from_db()
    assert sent.state == ("delivered" if outcome == "delivered" else "pending")


def test_a_receiver_that_hangs_is_left_in_time(senders: Senders, receiver: Receiver) -> None:
    receiver.react = lambda seen: Reaction(wait=30)
    message(receiver.url)

    finish(senders(seconds=0.3))

    assert only_try() == ("unanswered", None, "Timeout")


def test_an_answer_that_never_ends_is_an_answer(senders: Senders, receiver: Receiver) -> None:
    receiver.react = lambda seen: Reaction(200, body=b"end", trickle=30)
    message(receiver.url)

    finish(senders(seconds=0.3))

    assert only_try()[:2] == ("delivered", 200)


def test_a_certificate_of_another_name_is_not_trusted(
    sender: Sender, authority: trustme.CA
) -> None:
    with receiving(authority, "platform.example") as stranger:
        message(stranger.url)
        finish(sender)

    assert stranger.seen == []
    assert only_try() == ("unsent", None, "CertificateNotTrusted")


def test_a_certificate_of_another_authority_is_not_trusted(sender: Sender) -> None:
    with receiving(trustme.CA()) as stranger:
        message(stranger.url)
        finish(sender)

    assert stranger.seen == []
    assert only_try() == ("unsent", None, "CertificateNotTrusted")


def test_a_private_address_is_not_contacted(senders: Senders, receiver: Receiver) -> None:
    message(receiver.url)
    message(f"https://localhost:{receiver.server_port}/")

    finish(senders(networks=()))

    assert receiver.seen == []
    assert set(MessageAttempt.objects.values_list("outcome", "reason")) == {
        ("unsent", "AddressNotAllowed")
    }


def test_nobody_there_is_recorded(sender: Sender) -> None:
    message("https://127.0.0.1:1/")

    finish(sender)

    assert only_try() == ("unsent", None, "CouldNotConnect")


def test_a_secret_that_cannot_sign_stops_nobody_else(sender: Sender, receiver: Receiver) -> None:
    broken = message(receiver.url)
    Endpoint.objects.update(secret="whsec_!")
    good = message(receiver.url)

    finish(sender)

    assert [seen.id for seen in receiver.seen] == [good.webhook_id]
    assert broken.tries.get().reason == "BadSecret"


def test_a_receiver_that_hangs_delays_no_other_even_at_its_own_host(
    sender: Sender, receiver: Receiver
) -> None:
    receiver.react = lambda seen: Reaction(wait=30 if seen.path == "/hanging" else 0)
    origin = receiver.url.removesuffix("/hooks")
    hanging = EndpointFactory.create(url=f"{origin}/hanging")
    MessageFactory.create_batch(20, endpoint=hanging, created_at=NOW)
    others = [message(f"{origin}/{number}") for number in range(5)]

    end = time.monotonic() + 3
    while Message.objects.filter(state="delivered").count() < len(others):
        sender.work(seconds=0.05)
        assert time.monotonic() < end, "they wait for the one that hangs"

    assert hanging.messages.filter(state="sending").count() == 4


def test_a_quick_receiver_gets_many_messages_over_few_connections(
    sender: Sender, receiver: Receiver
) -> None:
    endpoint = EndpointFactory.create(url=receiver.url)
    MessageFactory.create_batch(40, endpoint=endpoint, created_at=NOW)

    finish(sender)

    assert len({seen.id for seen in receiver.seen}) == len(receiver.seen) == 40
    assert receiver.most_under_way <= 4


def test_retry_after_is_honoured(sender: Sender, receiver: Receiver, clock: Time) -> None:
    receiver.react = lambda seen: Reaction(429, {"retry-after": "1800"})
    sent = message(receiver.url)

    finish(sender)
    clock.pass_by(seconds=1799)
    finish(sender)
    assert len(receiver.seen) == 1
    clock.pass_by(seconds=2)
    finish(sender)

    assert len(receiver.seen) == 2
    assert [seen.id for seen in receiver.seen] == [sent.webhook_id] * 2


def test_each_try_is_signed_at_its_own_time(
    sender: Sender, receiver: Receiver, clock: Time
) -> None:
    receiver.react = lambda seen: Reaction(503)
    message(receiver.url)

    finish(sender)
    clock.pass_by(seconds=10)
    finish(sender)

    stamps = [int(seen.headers["webhook-timestamp"]) for seen in receiver.seen]
    assert stamps == [int(NOW.timestamp()), int(NOW.timestamp()) + 10]
    assert len({seen.body for seen in receiver.seen}) == 1


def test_what_the_receiver_said_is_kept_nowhere(sender: Sender, receiver: Receiver) -> None:
    receiver.react = lambda seen: Reaction(500, {"x-secret": "hush"}, b"internal hush")
    sent = message(receiver.url)

    finish(sender)

    sent.refresh_from_db()
    rows = [*Message.objects.values(), *MessageAttempt.objects.values()]
    assert "hush" not in str(rows)
    assert sent.reason == "HTTP 500"
