"""How many streams a connection may have at once: one, until APNs knows who is there."""

from collections.abc import Mapping
from typing import Any

from h2.errors import ErrorCodes

from channels_app.sandbox.apns import STREAMS_TRUSTED
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.sandbox.client import Http2Client
from tests.channels_app.sandbox.senders import Push, Senders

Phone = Mapping[str, Any]


def _open_all(connection: Http2Client, push: Push, count: int) -> list[int]:
    streams = [connection.open(push.path, push.headers.items(), push.body) for _ in range(count)]
    connection.flush()
    connection.wait(*streams)
    return streams


def _refused(connection: Http2Client, streams: list[int]) -> list[bool]:
    return [connection.answers[s].reset == ErrorCodes.REFUSED_STREAM for s in streams]


def test_apns_opens_with_one_stream_and_refuses_the_rest(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    streams = _open_all(connection, senders.apns(iphone), 4)
    assert _refused(connection, streams) == [False, True, True, True]
    assert connection.limits[0] == 1


def test_after_an_authenticated_request_the_limit_is_high(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    connection.send(push.path, push.headers, push.body)
    streams = _open_all(connection, push, 50)
    assert not any(_refused(connection, streams))
    assert connection.limits == [1, STREAMS_TRUSTED]


def test_after_a_rejected_token_the_limit_is_one_again(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    good = senders.apns(iphone)
    bad = senders.apns({**iphone, "registration_id": "ab" * 32})
    connection.send(good.path, good.headers, good.body)
    assert connection.send(bad.path, bad.headers, bad.body).reason == "BadDeviceToken"
    streams = _open_all(connection, good, 3)
    assert _refused(connection, streams) == [False, True, True]
    assert connection.limits == [1, STREAMS_TRUSTED, 1, STREAMS_TRUSTED]


def test_a_refused_notification_does_not_lower_the_limit_by_itself(
    connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    good, bad = senders.apns(iphone), senders.apns(iphone, apns_priority="7")
    connection.send(good.path, good.headers, good.body)
    connection.send(bad.path, bad.headers, bad.body)
    assert not any(_refused(connection, _open_all(connection, good, 10)))


def test_a_refused_stream_was_not_delivered(
    connection: Http2Client, sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    _open_all(connection, senders.apns(iphone), 4)
    assert len(sandbox.screen(iphone["id"])) == 1


def test_google_and_the_browser_vendors_trust_at_once(
    connection: Http2Client, senders: Senders, android: Phone, browser: Phone
) -> None:
    assert not any(_refused(connection, _open_all(connection, senders.fcm(android), 20)))
    assert not any(_refused(connection, _open_all(connection, senders.webpush(browser), 20)))


def test_a_limit_that_was_ordered_holds_until_it_is_cleared(
    sandbox: SandboxProcess, connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    connection.send(push.path, push.headers, push.body)
    sandbox.fault("all", None, streams=2)
    # A delayed answer keeps its stream open, so that the streams really are concurrent.
    sandbox.fault("apns", 2, delay=0.2)
    streams = _open_all(connection, push, 4)
    assert _refused(connection, streams) == [False, False, True, True]
