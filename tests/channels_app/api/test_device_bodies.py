"""Registrations that cannot be: each is refused, and the answer names the place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings

from channels_app.models import Installation
from tests.api import client_for, pointers
from tests.channels_app.api.registrations import (
    ANDROID,
    BROWSER,
    IPHONE,
    TOKEN,
    address,
    put,
)
from tests.factories import AUTH, P256DH, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("applications")]


def browser(**changes: Any) -> dict[str, Any]:
    return {**BROWSER, "subscription": {**BROWSER["subscription"], **changes}}


def with_keys(**changes: str) -> dict[str, Any]:
    return browser(keys={"p256dh": P256DH, "auth": AUTH} | changes)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({**IPHONE, "token": "z" * 64}, "/token"),
        ({**IPHONE, "token": "ab" * 31}, "/token"),
        ({**IPHONE, "token": "ab" * 101}, "/token"),
        ({**IPHONE, "token": "a" * 65}, "/token"),
        ({**IPHONE, "token": TOKEN + "\n"}, "/token"),
        ({**IPHONE, "token": " " + TOKEN}, "/token"),
        ({**IPHONE, "token": "q\u0301" * 64}, "/token"),
        ({**IPHONE, "token": "٣" * 64}, "/token"),
        ({**IPHONE, "token": ""}, "/token"),
        ({**IPHONE, "token": None}, "/token"),
        ({**IPHONE, "token": [TOKEN]}, "/token"),
        ({**IPHONE, "token": {"a": 1}}, "/token"),
        ({**IPHONE, "token": True}, "/token"),
        ({**IPHONE, "token": "ab" * 100_000}, "/token"),
        ({**ANDROID, "token": "a" * 2049}, "/token"),
        ({**ANDROID, "token": "x" * 200_000}, "/token"),
        ({**ANDROID, "token": "with a space"}, "/token"),
        ({**ANDROID, "token": "tab\there"}, "/token"),
        ({**ANDROID, "token": "é"}, "/token"),
        ({**ANDROID, "token": "\x7f"}, "/token"),
        ({"secret": IPHONE["secret"], "platform": "apns"}, "/token"),
        ({"secret": IPHONE["secret"], "platform": "webpush"}, "/subscription"),
        ({**BROWSER, "token": TOKEN}, "/token"),
        ({**IPHONE, "subscription": BROWSER["subscription"]}, "/subscription"),
        ({**BROWSER, "subscription": "x"}, "/subscription"),
        ({**BROWSER, "subscription": None}, "/subscription"),
        ({**BROWSER, "subscription": {}}, "/subscription/endpoint"),
        (browser(endpoint="http://updates.push.services.mozilla.com/x"), "/subscription/endpoint"),
        (browser(endpoint="https://evil.example/x"), "/subscription/endpoint"),
        (browser(endpoint="https://127.0.0.1/x"), "/subscription/endpoint"),
        (browser(endpoint="https://169.254.169.254/latest/"), "/subscription/endpoint"),
        (browser(endpoint="https://[::1]/x"), "/subscription/endpoint"),
        (browser(endpoint="https://localhost/x"), "/subscription/endpoint"),
        (
            browser(endpoint="https://updates.push.services.mozilla.com:8443/x"),
            "/subscription/endpoint",
        ),
        (
            browser(endpoint="https://me:secret@updates.push.services.mozilla.com/x"),
            "/subscription/endpoint",
        ),
        (
            browser(endpoint="https://updates.push.services.mozilla.com@evil.example/x"),
            "/subscription/endpoint",
        ),
        (
            browser(endpoint=" https://updates.push.services.mozilla.com/x"),
            "/subscription/endpoint",
        ),
        (
            browser(endpoint="https://updates.push.services.mozilla.com/" + "x" * 2048),
            "/subscription/endpoint",
        ),
        (browser(expirationTime="soon"), "/subscription/expirationTime"),
        (browser(more=1), "/subscription/more"),
        (browser(keys={}), "/subscription/keys/p256dh"),
        (with_keys(p256dh="!"), "/subscription/keys/p256dh"),
        (with_keys(p256dh="AAAA"), "/subscription/keys/p256dh"),
        (with_keys(p256dh="B" + "A" * 86), "/subscription/keys/p256dh"),
        (with_keys(p256dh=P256DH[:-2] + "A4"), "/subscription/keys/p256dh"),
        (with_keys(p256dh=P256DH + "=" * 9), "/subscription/keys/p256dh"),
        (with_keys(auth="AAAA"), "/subscription/keys/auth"),
        (with_keys(auth="ä" * 22), "/subscription/keys/auth"),
        (with_keys(auth=AUTH + "=" * 9), "/subscription/keys/auth"),
        ({**IPHONE, "platform": "wns"}, "/platform"),
        ({**IPHONE, "platform": ["apns"]}, "/platform"),
        ({**IPHONE, "application_id": "android"}, "/application_id"),
        ({**IPHONE, "application_id": "nothing"}, "/application_id"),
        ({**IPHONE, "application_id": ""}, "/application_id"),
        ({**IPHONE, "secret": "x" * 31}, "/secret"),
        ({**IPHONE, "secret": "x" * 257}, "/secret"),
        ({**IPHONE, "secret": "x" * 32 + "\n"}, "/secret"),
        ({**IPHONE, "secret": "ä" * 32}, "/secret"),
        ({"platform": "apns", "token": TOKEN}, "/secret"),
        ({**IPHONE, "name": "x" * 101}, "/name"),
        ({**IPHONE, "app_version": "1" * 33}, "/app_version"),
        ({**IPHONE, "locale": "x" * 36}, "/locale"),
        ({**IPHONE, "time_zone": "Mars/Olympus_Mons"}, "/time_zone"),
        ({**IPHONE, "os_permission": "perhaps"}, "/os_permission"),
        ({**IPHONE, "critical_allowed": "often"}, "/critical_allowed"),
        ({**IPHONE, "critical_allowed": None}, "/critical_allowed"),
        ({**IPHONE, "user": 1}, "/user"),
        ({**IPHONE, "muted_channels": []}, "/muted_channels"),
    ],
)
def test_what_cannot_be_is_named(body: dict[str, Any], place: str) -> None:
    answer = put(UserFactory.create(), body)

    assert answer.status_code == 400, answer.content
    assert place in pointers(answer)
    assert Installation.objects.count() == 0


@pytest.mark.parametrize(
    ("token", "detail"), [(r"\u0000", "NUL"), (r"\ud800", "surrogate"), (r"a\udc00b", "surrogate")]
)
def test_what_no_database_keeps_is_named(token: str, detail: str) -> None:
    text = json.dumps(ANDROID).replace(ANDROID["token"], token)

    answer = client_for(UserFactory.create()).generic(
        "PUT", address(), text, content_type="application/json"
    )

    assert answer.status_code == 400
    assert pointers(answer) == {"/token"}


def test_a_token_of_a_megabyte_is_refused_by_its_name() -> None:
    answer = put(UserFactory.create(), {**ANDROID, "token": "x" * 1_000_000})

    assert answer.status_code == 400
    assert pointers(answer) == {"/token"}


def test_the_longest_tokens_that_are_taken_fit_into_the_tables() -> None:
    alice = UserFactory.create()
    # Of so many different characters PostgreSQL can compress nothing.
    text = "".join(chr(33 + (7 * number + number * number // 13) % 94) for number in range(2048))
    path = text.translate({ord(char): "x" for char in '"#<>\\^`{|}'})
    endpoint = "https://updates.push.services.mozilla.com/" + path
    bodies = [
        {**ANDROID, "token": text},
        {**IPHONE, "token": "ab" * 100},
        browser(endpoint=endpoint[:2048]),
    ]

    for body in bodies:
        answer = put(alice, body)
        assert answer.status_code in (200, 201), answer.content


def test_who_has_two_apps_of_a_platform_says_which(settings: Settings) -> None:
    settings.PUSH_APPLICATIONS |= {"ios-beta": {"PLATFORM": "APNS"}}
    alice = UserFactory.create()

    left_open = put(alice, IPHONE)
    said = put(alice, {**IPHONE, "application_id": "ios-beta"})

    assert (left_open.status_code, pointers(left_open)) == (400, {"/application_id"})
    assert "ios, ios-beta" in left_open.json()["errors"][0]["detail"]
    assert said.json()["application_id"] == "ios-beta"


def test_a_platform_that_nothing_is_pushed_to_is_named(settings: Settings) -> None:
    settings.PUSH_APPLICATIONS = {}

    answer = put(UserFactory.create(), IPHONE)

    assert (answer.status_code, pointers(answer)) == (400, {"/platform"})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"muted_channels": ["notice"]}, "/muted_channels/0"),
        ({"muted_channels": ["workflow", "nothing"]}, "/muted_channels/1"),
        ({"muted_channels": "workflow"}, "/muted_channels"),
        ({"muted_channels": None}, "/muted_channels"),
        ({"privacy": "secret"}, "/privacy"),
        ({"privacy": None}, "/privacy"),
        ({"name": "x" * 101}, "/name"),
        ({"time_zone": "Nowhere"}, "/time_zone"),
        ({"token": TOKEN}, "/token"),
        ({"secret": "x" * 32}, "/secret"),
        ({"user": 1}, "/user"),
        ([], ""),
    ],
)
def test_a_change_that_cannot_be_is_named(change: Any, place: str) -> None:
    alice = UserFactory.create()
    put(alice, IPHONE)

    answer = client_for(alice).patch(address(), change)

    assert (answer.status_code, pointers(answer)) == (400, {place})
