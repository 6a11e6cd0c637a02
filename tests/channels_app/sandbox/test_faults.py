"""Faults on demand, as a client meets them."""

import json
import ssl
import time
import urllib.error
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from h2.errors import ErrorCodes

from channels_app.sandbox.apns_reasons import REASONS as APNS_REASONS
from channels_app.sandbox.fcm_errors import ERROR_CODES
from channels_app.sandbox.process import SandboxProcess
from channels_app.sandbox.webpush import REASONS as WEBPUSH_REASONS
from tests.channels_app.sandbox.client import Http2Client, connected
from tests.channels_app.sandbox.senders import Push, Senders, alert

Phone = Mapping[str, Any]


@pytest.mark.parametrize("reason", sorted(APNS_REASONS))
def test_every_reason_of_apns(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone, reason: str
) -> None:
    sandbox.fault(iphone["id"], reason=reason, since=1_700_000_000, retry_after=7)
    answer = senders.send(senders.apns(iphone))
    assert (answer.status, answer.reason) == (APNS_REASONS[reason], reason)
    assert answer.json["timestamp"] == 1_700_000_000_000
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_every_error_code_of_fcm(
    sandbox: SandboxProcess, senders: Senders, android: Phone, code: str
) -> None:
    push = senders.fcm(android)
    sandbox.fault(android["id"], reason=code)
    answer = senders.send(push)
    assert (answer.status, answer.reason) == (ERROR_CODES[code][0], code)


@pytest.mark.parametrize("reason", sorted(WEBPUSH_REASONS))
def test_every_reason_of_web_push(
    sandbox: SandboxProcess, senders: Senders, browser: Phone, reason: str
) -> None:
    sandbox.fault(browser["id"], reason=reason)
    answer = senders.send(senders.webpush(browser))
    assert (answer.status, answer.json["errno"]) == WEBPUSH_REASONS[reason][:2]


def test_faults_are_played_in_the_order_they_were_asked_for(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", 2, status=500)
    sandbox.fault(iphone["id"], reason="TooManyRequests")
    sandbox.fault("all", status=503)
    statuses = [senders.send(senders.apns(iphone)).status for _ in range(5)]
    assert statuses == [500, 500, 429, 503, 200]


def test_a_fault_can_let_some_requests_pass(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", skip=2, status=500)
    statuses = [senders.send(senders.apns(iphone)).status for _ in range(4)]
    assert statuses == [200, 200, 500, 200]


def test_a_fault_without_times_lasts_until_it_is_cleared(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", None, status=500)
    assert [senders.send(senders.apns(iphone)).status for _ in range(3)] == [500] * 3
    sandbox.clear_faults()
    assert senders.send(senders.apns(iphone)).status == 200


def test_a_fault_of_one_scope_spares_the_others(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone, android: Phone, browser: Phone
) -> None:
    push = senders.fcm(android)
    sandbox.fault("apns", None, status=500)
    assert senders.send(push).status == 200
    assert senders.send(senders.webpush(browser)).status == 201
    assert senders.send(senders.grant()).status == 200


def test_the_token_endpoint_fails_by_its_own_scope_only(
    sandbox: SandboxProcess, senders: Senders
) -> None:
    sandbox.fault("all", status=500)
    assert senders.send(senders.grant()).status == 200
    sandbox.fault("oauth", status=503)
    assert senders.send(senders.grant()).status == 503


def test_a_delay_comes_before_the_normal_answer(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", delay=0.3)
    started = time.monotonic()
    assert senders.send(senders.apns(iphone)).status == 200
    assert time.monotonic() - started >= 0.3


def _start(connection: Http2Client, push: Push) -> int:
    stream = connection.open(push.path, push.headers.items(), push.body)
    connection.flush()
    return stream


def test_a_hanging_request_does_not_hold_up_another(
    sandbox: SandboxProcess, connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    connection.send(push.path, push.headers, push.body)
    sandbox.fault("apns", hang=True)
    hanging, healthy = _start(connection, push), _start(connection, push)
    connection.wait(healthy)
    assert hanging not in connection.ended
    assert len(sandbox.screen(iphone["id"])) == 2


@pytest.mark.parametrize(("moment", "shown"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("platform", ["iphone", "android", "browser"])
def test_a_reset_before_or_after_the_push_arrived(
    sandbox: SandboxProcess,
    senders: Senders,
    request: pytest.FixtureRequest,
    platform: str,
    moment: str,
    shown: int,
) -> None:
    phone = request.getfixturevalue(platform)
    send = {"iphone": senders.apns, "android": senders.fcm, "browser": senders.webpush}[platform]
    push = send(phone)
    sandbox.fault(phone["id"], reset=moment)
    with pytest.raises((ConnectionError, ssl.SSLError)):
        senders.send(push)
    assert len(sandbox.screen(phone["id"])) == shown


@pytest.mark.parametrize("code", ["REFUSED_STREAM", "INTERNAL_ERROR", "CANCEL"])
def test_a_stream_is_reset_with_any_code(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone, code: str
) -> None:
    sandbox.fault("apns", rst_stream=code)
    assert senders.send(senders.apns(iphone)).reset == ErrorCodes[code]
    assert sandbox.screen(iphone["id"]) == []


def test_a_push_can_arrive_although_its_stream_was_reset(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", rst_stream="INTERNAL_ERROR", delivered=True)
    assert senders.send(senders.apns(iphone)).reset == ErrorCodes.INTERNAL_ERROR
    assert len(sandbox.screen(iphone["id"])) == 1


def test_goaway_that_covers_the_request_lets_it_finish(
    sandbox: SandboxProcess, connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", goaway="NO_ERROR", reason="Shutdown")
    stream = _start(connection, senders.apns(iphone))
    connection.wait(stream)
    assert connection.answers[stream].status == 200
    assert connection.goaway is not None
    assert (connection.goaway.last_stream_id, connection.goaway.error_code) == (stream, 0)
    assert json.loads(connection.goaway.additional_data or b"") == {"reason": "Shutdown"}
    connection.drain()


def test_goaway_that_does_not_cover_the_request_leaves_it_unsent(
    sandbox: SandboxProcess, connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    connection.send(push.path, push.headers, push.body)
    sandbox.fault("apns", goaway="ENHANCE_YOUR_CALM", last_stream="previous")
    stream = _start(connection, push)
    connection.drain()
    assert connection.goaway is not None
    assert connection.goaway.last_stream_id == stream - 2
    assert connection.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert connection.answers[stream].status == 0
    assert len(sandbox.screen(iphone["id"])) == 1


def test_what_goaway_covers_is_answered_before_the_end(
    sandbox: SandboxProcess, connection: Http2Client, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone)
    connection.send(push.path, push.headers, push.body)
    sandbox.fault("apns", delay=0.2)
    sandbox.fault("apns", goaway="NO_ERROR", last_stream="previous")
    earlier, later = _start(connection, push), _start(connection, push)
    connection.wait(earlier)
    assert (connection.answers[earlier].status, connection.answers[later].status) == (200, 0)
    connection.drain()


def test_an_answer_can_be_garbage_huge_or_a_redirect(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", garbage=True)
    sandbox.fault("apns", huge=300_000, status=400)
    sandbox.fault("apns", redirect="http://127.0.0.1:1/")
    garbage, huge, redirect = (senders.send(senders.apns(iphone)) for _ in range(3))
    with pytest.raises(ValueError):
        json.loads(garbage.body)
    assert (huge.status, len(huge.body) > 300_000) == (400, True)
    assert (redirect.status, redirect.headers["location"]) == (302, "http://127.0.0.1:1/")


def test_a_slow_body_takes_its_time(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("apns", reason="BadTopic", slow=0.5)
    started = time.monotonic()
    assert senders.send(senders.apns(iphone)).reason == "BadTopic"
    assert time.monotonic() - started >= 0.4


def test_a_tls_handshake_is_refused(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    sandbox.fault("all", refuse_tls=True)
    with pytest.raises(ssl.SSLError), connected(sandbox.url, sandbox.ca_file):
        pass
    assert senders.send(senders.apns(iphone)).status == 200


def _post(sandbox: SandboxProcess, push: Push) -> requests.Response:
    """The same over HTTP/1.1."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            f"{sandbox.url}{push.path}",
            headers=push.headers,
            data=push.body,
            verify=str(sandbox.ca_file),
            timeout=10,
            allow_redirects=False,
        )


def test_http_1_1_works_for_google_and_the_browser_vendors(
    sandbox: SandboxProcess, senders: Senders, android: Phone, browser: Phone
) -> None:
    assert _post(sandbox, senders.grant()).status_code == 200
    assert _post(sandbox, senders.fcm(android)).status_code == 200
    assert _post(sandbox, senders.webpush(browser)).status_code == 201


def test_apns_does_not_speak_http_1_1(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    with pytest.raises(requests.ConnectionError):
        _post(sandbox, senders.apns(iphone))


@pytest.mark.parametrize(
    "fault",
    [
        {"reset": "before"},
        {"reset": "after"},
        {"rst_stream": "CANCEL"},
        {"goaway": "NO_ERROR"},
    ],
)
def test_over_http_1_1_the_connection_is_reset(
    sandbox: SandboxProcess, senders: Senders, browser: Phone, fault: dict[str, Any]
) -> None:
    sandbox.fault("webpush", **fault)
    with pytest.raises(requests.ConnectionError):
        _post(sandbox, senders.webpush(browser))


def test_over_http_1_1_answers_fail_as_over_http_2(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    sandbox.fault("webpush", reason="TooManyRequests", retry_after=3, delay=0.1)
    sandbox.fault("webpush", reason="Unavailable", slow=0.2)
    limited, unavailable = (_post(sandbox, senders.webpush(browser)) for _ in range(2))
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert (unavailable.status_code, unavailable.json()["errno"]) == (503, 202)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"scope": "mars", "fault": {"hang": True}}, "scope"),
        ({"scope": "all"}, "a fault is"),
        ({"scope": "all", "fault": {}}, "a fault is"),
        ({"scope": "all", "fault": {"explode": True}}, "unknown key"),
        ({"scope": "all", "fault": {"reason": "Bored"}}, "tables"),
        ({"scope": "all", "fault": {"delay": "long"}}, "type float"),
        ({"scope": "all", "fault": {"hang": 1}}, "type bool"),
        ({"scope": "all", "fault": {"status": 99}}, "200 to 599"),
        ({"scope": "all", "fault": {"reset": "during"}}, "reset"),
        ({"scope": "all", "fault": {"goaway": "BYE"}}, "goaway"),
        ({"scope": "all", "fault": {"hang": True}, "times": 0}, "times"),
        ({"scope": "all", "fault": {"hang": True}, "skip": -1}, "skip"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: SandboxProcess, order: dict[str, Any], says: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        sandbox.call("POST", "/api/faults", order)
    with refusal.value as answer:
        assert (answer.code, says in answer.read().decode()) == (400, True)


def test_a_payload_that_is_too_big_for_any_service_is_cut_short(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone, {"aps": alert("x" * 20_000)})
    assert senders.send(push).status == 413
