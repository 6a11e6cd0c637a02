"""The transport against a server that is told what to do."""

import threading
import time

import trustme

from channels_app.gateways import connections
from channels_app.gateways.exchange import Fate, Request
from channels_app.gateways.transport import Transport, origin_of
from tests.channels_app.gateways.scripted_server import (
    CANCEL,
    REFUSED_STREAM,
    Conversation,
    Script,
    ScriptedServer,
    Seen,
    serving,
)
from tests.channels_app.gateways.sending import LOOPBACK, answering, send


def first_then(action: Script) -> Script:
    """Answer the first request of the first connection, and do `action` on its others."""

    def script(talk: Conversation, seen: Seen) -> None:
        if seen.connection == 1 and seen.number > 1:
            action(talk, seen)
        else:
            talk.answer(seen)

    return script


def bodies(server: ScriptedServer) -> list[bytes]:
    return [seen.body for seen in server.seen]


def test_many_requests_share_one_connection(authority: trustme.CA, ca_file: str) -> None:
    with serving(authority, answering) as server:
        replies = send(server.url, ca_file=ca_file, count=50)

    assert [reply.status for reply in replies.values()] == [200] * 50
    assert server.connections == 1
    assert len(set(bodies(server))) == 50


def test_a_reply_has_its_status_headers_and_body(authority: trustme.CA, ca_file: str) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        talk.answer(seen, 410, b'{"reason": "Unregistered"}', apns_id="some-id")

    with serving(authority, script) as server:
        reply = send(server.url, ca_file=ca_file)[0]

    assert reply.fate is Fate.ANSWERED
    assert reply.status == 410
    assert reply.headers.get("apns-id", "") == "some-id"
    assert reply.body == b'{"reason": "Unregistered"}'
    assert reply.sent_at <= reply.answered_at


def test_a_request_cut_off_after_it_arrived_is_sent_once_and_unknown(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(authority, first_then(lambda talk, seen: talk.cut())) as server:
        reply = send(server.url, ca_file=ca_file, before=1)[1]

    assert reply.fate is Fate.UNANSWERED
    assert bodies(server) == [b'{"n": 0}', b'{"n": 1}']


def test_a_request_on_a_connection_that_says_goodbye_is_sent_once_and_unknown(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(authority, first_then(lambda talk, seen: talk.end())) as server:
        reply = send(server.url, ca_file=ca_file, before=1)[1]

    assert reply.fate is Fate.UNANSWERED
    assert bodies(server) == [b'{"n": 0}', b'{"n": 1}']


def test_a_cancelled_stream_is_unknown(authority: trustme.CA, ca_file: str) -> None:
    with serving(authority, first_then(lambda talk, seen: talk.reset(seen, CANCEL))) as server:
        replies = send(server.url, ca_file=ca_file, before=1, count=2)

    assert replies[1].fate is Fate.UNANSWERED
    assert server.connections == 1


def test_a_refused_stream_goes_to_the_next_connection(authority: trustme.CA, ca_file: str) -> None:
    script = first_then(lambda talk, seen: talk.reset(seen, REFUSED_STREAM))
    with serving(authority, script) as server:
        reply = send(server.url, ca_file=ca_file, before=1)[1]

    assert reply.status == 200
    assert server.connections == 2


def test_a_stream_that_is_always_refused_is_given_up_as_unsent(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(authority, lambda talk, seen: talk.reset(seen, REFUSED_STREAM)) as server:
        reply = send(server.url, ca_file=ca_file)[0]

    assert (reply.fate, reply.fault) == (Fate.UNSENT, "StreamRefused")
    assert len(server.seen) == 3


def test_what_a_goaway_excludes_goes_to_the_next_connection(
    authority: trustme.CA, ca_file: str
) -> None:
    def go_away(talk: Conversation, seen: Seen) -> None:
        talk.go_away(last_stream=1)
        talk.finish()

    with serving(authority, first_then(go_away)) as server:
        replies = send(server.url, ca_file=ca_file, before=1, count=5)

    assert [reply.status for reply in replies.values()] == [200] * 6
    assert server.connections > 1


def test_what_a_goaway_includes_and_never_answers_is_unknown(
    authority: trustme.CA, ca_file: str
) -> None:
    def go_away(talk: Conversation, seen: Seen) -> None:
        talk.go_away(last_stream=seen.stream)
        talk.finish()

    with serving(authority, first_then(go_away)) as server:
        reply = send(server.url, ca_file=ca_file, before=1)[1]

    assert reply.fate is Fate.UNANSWERED
    assert bodies(server).count(b'{"n": 1}') == 1


def test_only_one_stream_opens_until_the_first_is_answered(
    authority: trustme.CA, ca_file: str
) -> None:
    """As real APNs: one stream until the token is verified, REFUSED_STREAM for any other."""

    def script(talk: Conversation, seen: Seen) -> None:
        if seen.number == 1:
            talk.allow(1000)
        talk.answer(seen)

    with serving(authority, script, max_streams=1) as server:
        replies = send(server.url, ca_file=ca_file, count=100)

    assert [reply.status for reply in replies.values()] == [200] * 100
    assert server.connections == 1
    assert len(server.seen) == 100


def test_a_server_that_keeps_to_one_stream_is_served_one_by_one(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(authority, answering, max_streams=1) as server:
        replies = send(server.url, ca_file=ca_file, count=20)

    assert [reply.status for reply in replies.values()] == [200] * 20
    assert server.connections <= connections.PER_HOST


def test_a_first_request_that_hangs_does_not_hold_up_the_others(
    authority: trustme.CA, ca_file: str
) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        if seen.body != b'{"n": 0}':
            talk.answer(seen)

    with serving(authority, script) as server:
        replies = send(server.url, ca_file=ca_file, count=20, request_seconds=3.0)

    assert (replies[0].fate, replies[0].fault) == (Fate.UNANSWERED, "Timeout")
    assert {reply.status for number, reply in replies.items() if number} == {200}
    assert max(reply.answered_at for reply in list(replies.values())[:-1]) < replies[0].answered_at


def test_who_waited_for_a_turn_has_as_long_as_anybody_to_be_answered(
    authority: trustme.CA, ca_file: str
) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        if seen.body != b'{"n": 0}':
            time.sleep(2.3)
            talk.answer(seen)

    with serving(authority, script) as server:
        # The first one hangs, so the second has to wait a second for its turn.
        replies = send(server.url, ca_file=ca_file, count=2, request_seconds=3.0)

    assert [reply.fate for reply in replies.values()] == [Fate.UNANSWERED, Fate.ANSWERED]


def test_an_answer_is_read_however_late_anybody_looks(authority: trustme.CA, ca_file: str) -> None:
    transport: Transport[int] = Transport(ca_file=ca_file, networks=LOOPBACK, request_seconds=1.5)
    received, turned_away = threading.Event(), threading.Event()

    def script(talk: Conversation, seen: Seen) -> None:
        received.set()
        turned_away.wait(10)
        talk.answer(seen)

    with serving(authority, script) as server:
        transport.submit(Request(f"{server.url}/push/1", (), b"{}"), 1)
        while not received.is_set():
            assert transport.poll(0.01) == []
        turned_away.set()
        time.sleep(2.5)  # the caller waits for something else
        replies = transport.poll(5.0)
        transport.close()

    assert [reply.fate for _, reply in replies] == [Fate.ANSWERED]


def test_a_connection_that_answers_nothing_is_replaced(authority: trustme.CA, ca_file: str) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        if seen.connection > 1 or seen.number == 1:
            talk.answer(seen)

    transport: Transport[int] = Transport(ca_file=ca_file, networks=LOOPBACK, request_seconds=1.0)
    statuses = []
    with serving(authority, script) as server:
        for number in range(6):
            transport.submit(Request(f"{server.url}/{number}", (), b"{}"), number)
            statuses += [reply.status for _, reply in transport.poll(5.0)]
        transport.close()

    assert statuses == [200, None, None, None, 200, 200]
    assert server.connections == 2


def test_a_connection_that_was_closed_while_idle_is_not_used_again(
    authority: trustme.CA, ca_file: str
) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        talk.answer(seen)
        if seen.connection == 1:
            talk.go_away(seen.stream)
            talk.finish()

    transport: Transport[int] = Transport(ca_file=ca_file, networks=LOOPBACK)
    replies = []
    with serving(authority, script) as server:
        for number in range(3):
            transport.submit(Request(f"{server.url}/{number}", (), b"{}"), number)
            replies += transport.poll(5.0)
            time.sleep(0.1)
        transport.close()

    assert [reply.status for _, reply in replies] == [200, 200, 200]
    assert server.connections == 2


def test_a_port_where_nobody_listens_is_unsent(authority: trustme.CA, ca_file: str) -> None:
    with serving(authority, answering) as server:
        url = server.url
    replies = send(url, ca_file=ca_file, count=10)

    assert {(reply.fate, reply.fault) for reply in replies.values()} == {
        (Fate.UNSENT, "CouldNotConnect")
    }


def test_a_name_that_does_not_exist_is_unsent(ca_file: str) -> None:
    reply = send("https://nowhere.invalid", ca_file=ca_file)[0]

    assert (reply.fate, reply.fault) == (Fate.UNSENT, "HostNotFound")


def test_polling_with_nothing_in_flight_returns_at_once(ca_file: str) -> None:
    transport: Transport[int] = Transport(ca_file=ca_file)
    started = time.monotonic()

    assert transport.poll(5.0) == []
    assert time.monotonic() - started < 1.0
    transport.close()


def test_an_origin_is_what_comes_before_the_path() -> None:
    assert origin_of("https://a.example:8443/b/c") == "https://a.example:8443"
    assert origin_of("https://a.example") == "https://a.example"
