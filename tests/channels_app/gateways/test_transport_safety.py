"""What the transport refuses to do, wherever it is sent."""

import pytest
import trustme

from channels_app.gateways.exchange import Fate, Request
from channels_app.gateways.transport import Transport
from tests.channels_app.gateways.scripted_server import (
    Conversation,
    Seen,
    serving,
)
from tests.channels_app.gateways.sending import LOOPBACK, answering, send


def test_a_certificate_of_another_authority_is_not_trusted(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(trustme.CA(), answering) as server:
        reply = send(server.url, ca_file=ca_file)[0]

    assert (reply.fate, reply.fault) == (Fate.UNSENT, "CertificateNotTrusted")
    assert server.seen == []


def test_an_address_that_is_not_public_is_refused_before_connecting(
    authority: trustme.CA, ca_file: str
) -> None:
    with serving(authority, answering) as server:
        by_number = send(server.url, ca_file=ca_file, networks=[])[0]
        by_name = send(server.url.replace("127.0.0.1", "localhost"), ca_file=ca_file, networks=[])[
            0
        ]

    for reply in (by_number, by_name):
        assert (reply.fate, reply.fault) == (Fate.UNSENT, "AddressNotAllowed")
    assert server.connections == 0


def test_a_redirection_is_not_followed(authority: trustme.CA, ca_file: str) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        talk.answer(seen, 307, location="https://169.254.169.254/")

    with serving(authority, script) as server:
        reply = send(server.url, ca_file=ca_file)[0]

    assert reply.status == 307
    assert len(server.seen) == 1


def test_an_endless_reply_is_cut_off_and_its_status_counts(
    authority: trustme.CA, ca_file: str
) -> None:
    def script(talk: Conversation, seen: Seen) -> None:
        talk.answer(seen, 400, b"x" * 60_000)

    with serving(authority, script) as server:
        reply = send(server.url, ca_file=ca_file)[0]

    assert (reply.fate, reply.status, reply.body) == (Fate.ANSWERED, 400, b"")
    assert reply.fault == "ReplyTooLarge"


def test_the_environment_offers_no_proxy(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(authority, answering) as server:
        assert send(server.url, ca_file=ca_file)[0].status == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ftp://127.0.0.1/", "https://", "x"])
def test_only_https_leaves_the_house(url: str, ca_file: str) -> None:
    reply = send(url, ca_file=ca_file)[0]

    assert reply.fate in (Fate.UNSENT, Fate.IMPOSSIBLE)


def test_a_request_that_libcurl_cannot_take_comes_back(ca_file: str) -> None:
    reply = send("https://127.0.0.1/\udcff", ca_file=ca_file)[0]

    assert reply.fate is Fate.IMPOSSIBLE


def test_nothing_is_sent_that_was_not_asked_for(authority: trustme.CA, ca_file: str) -> None:
    with serving(authority, answering) as server:
        headers = ("accept:", "user-agent:", "content-type:")
        transport: Transport[int] = Transport(ca_file=ca_file, networks=LOOPBACK)
        transport.submit(Request(f"{server.url}/x", headers, b"{}"), 1)
        transport.poll(5.0)
        transport.close()

    pseudo = {":method", ":path", ":scheme", ":authority"}
    assert set(server.seen[0].headers) - pseudo == {"content-length"}
