"""What stands on a screen: replacing, ringing, waiting, expiring."""

import time
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from channels_app.sandbox.process import SandboxProcess, free_port, running
from tests.channels_app.sandbox.senders import Senders, alert, expo_data

Phone = Mapping[str, Any]


def _titles(sandbox: SandboxProcess, phone: Phone) -> list[str]:
    return [banner["title"] for banner in sandbox.screen(phone["id"])]


def _counts(sandbox: SandboxProcess, phone: Phone) -> dict[str, int]:
    [found] = [p for p in sandbox.call("GET", "/api/phones") if p["id"] == phone["id"]]
    counts: dict[str, int] = found["counts"]
    return counts


def test_enrolling_twice_gives_the_same_phone(sandbox: SandboxProcess) -> None:
    first = sandbox.phone("webpush", owner="Twice")
    assert sandbox.phone("webpush", owner="Twice") == first
    assert len(first["p256dh"]) == 87 and len(first["auth"]) == 22
    assert first["registration_id"].startswith(f"{sandbox.url}/wpush/v2/")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"platform": "pager", "owner": "A", "name": "B"},
        {"platform": "apns", "owner": "", "name": "B"},
        {"platform": "apns", "owner": "A", "name": "x" * 121},
        {"platform": "apns", "owner": "A", "name": "B", "application_id": "nope"},
        {"platform": "apns", "owner": "A", "name": "B", "application_id": "web-sandbox"},
    ],
)
def test_a_phone_that_makes_no_sense_is_refused(
    sandbox: SandboxProcess, content: dict[str, str]
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        sandbox.call("POST", "/api/phones", content)
    with refusal.value as answer:
        assert answer.code == 400


def test_the_same_collapse_id_replaces_in_place_on_an_iphone(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    for title in ("first", "second"):
        senders.send(senders.apns(iphone, {"aps": alert(title), "body": {}}, apns_collapse_id="a"))
    senders.send(senders.apns(iphone, {"aps": alert("other"), "body": {}}, apns_collapse_id="b"))
    assert _titles(sandbox, iphone) == ["other", "second"]
    assert [b["replaced"] for b in sandbox.screen(iphone["id"])] == [False, True]


def test_the_same_tag_replaces_in_place_on_android(
    sandbox: SandboxProcess, senders: Senders, android: Phone
) -> None:
    for title in ("first", "second"):
        senders.send(senders.fcm(android, data=expo_data(title, tag="a")))
    assert _titles(sandbox, android) == ["second"]


def test_the_same_tag_replaces_in_place_in_a_browser(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    for title in ("first", "second"):
        senders.send(senders.webpush(browser, {"title": title, "tag": "a"}))
    assert _titles(sandbox, browser) == ["second"]


def test_without_an_identity_nothing_is_replaced(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone, browser: Phone
) -> None:
    for title in ("first", "second"):
        senders.send(senders.apns(iphone, {"aps": alert(title), "body": {}}))
        senders.send(senders.webpush(browser, {"title": title}, topic="same-topic"))
    assert _titles(sandbox, iphone) == ["second", "first"]
    assert _titles(sandbox, browser) == ["second", "first"]


def test_a_replacement_without_sound_is_silent(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone, browser: Phone
) -> None:
    for sound in ({"sound": "default"}, {}):
        payload = {"aps": alert("x", **sound), "body": {}}
        senders.send(senders.apns(iphone, payload, apns_collapse_id="a"))
    for renotify in (True, False):
        options = {"title": "x", "tag": "a", "renotify": renotify}
        senders.send(senders.webpush(browser, options))
    for phone in (iphone, browser):
        counts = _counts(sandbox, phone)
        assert (counts["accepted"], counts["replaced"], counts["rang"]) == (2, 1, 1)


CRITICAL = alert(
    "x", interruption_level="critical", sound={"critical": 1, "name": "default", "volume": 1.0}
)


@pytest.mark.parametrize(
    ("aps", "level", "rings", "rings_silenced"),
    [
        (CRITICAL, "critical", True, True),
        (alert("x", interruption_level="time-sensitive", sound="default"), "loud", True, False),
        (alert("x", interruption_level="time-sensitive"), "loud", False, False),
        (alert("x", interruption_level="passive", sound="default"), "quiet", False, False),
        (alert("x", sound="default"), "loud", True, False),
    ],
)
def test_who_rings_and_who_rings_through_silence(
    sandbox: SandboxProcess,
    senders: Senders,
    iphone: Phone,
    aps: dict[str, Any],
    level: str,
    rings: bool,
    rings_silenced: bool,
) -> None:
    senders.send(senders.apns(iphone, {"aps": aps, "body": {}}))
    sandbox.call("PATCH", f"/api/phones/{iphone['id']}", {"silenced": True})
    senders.send(senders.apns(iphone, {"aps": aps, "body": {}}))
    silenced, ringing = sandbox.screen(iphone["id"])
    assert (ringing["level"], ringing["rang"], silenced["rang"]) == (level, rings, rings_silenced)


def test_an_expired_notification_is_taken_and_never_shown(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    push = senders.apns(iphone, apns_expiration=str(int(time.time()) - 5))
    assert senders.send(push).status == 200
    assert sandbox.screen(iphone["id"]) == []
    assert _counts(sandbox, iphone)["expired"] == 1


def test_expiration_zero_means_now_or_never(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    senders.send(senders.apns(iphone, apns_expiration="0"))
    assert len(sandbox.screen(iphone["id"])) == 1


def test_a_phone_that_comes_back_gets_what_waited_and_has_not_expired(
    sandbox: SandboxProcess, senders: Senders, browser: Phone
) -> None:
    path = f"/api/phones/{browser['id']}"
    sandbox.call("PATCH", path, {"online": False})
    for title, ttl, topic in (("old", "60", "a"), ("new", "60", "a"), ("late", "0", "b")):
        senders.send(senders.webpush(browser, {"title": title}, ttl=ttl, topic=topic))
    assert _titles(sandbox, browser) == []
    sandbox.call("PATCH", path, {"online": True})
    assert _titles(sandbox, browser) == ["new"]


def test_a_screen_can_be_wiped(sandbox: SandboxProcess, senders: Senders, iphone: Phone) -> None:
    senders.send(senders.apns(iphone))
    sandbox.call("DELETE", f"/api/phones/{iphone['id']}/banners")
    assert sandbox.screen(iphone["id"]) == []


def test_an_unknown_category_has_no_buttons(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    for category in ("ESCALATION", "escalation"):
        senders.send(senders.apns(iphone, {"aps": alert("x", category=category), "body": {}}))
    unknown, known = sandbox.screen(iphone["id"])
    assert [a["title"] for a in known["actions"]] == ["Claim", "View", "Snooze"]
    assert unknown["actions"] == []


def test_arrivals_are_listed_after_a_sequence_number(
    sandbox: SandboxProcess, senders: Senders, iphone: Phone
) -> None:
    senders.send(senders.apns(iphone))
    last = sandbox.call("GET", "/healthz")["seq"]
    senders.send(senders.apns(iphone))
    [arrival] = sandbox.banners(after=last)
    assert (arrival["seq"], arrival["phone_id"]) == (last + 1, iphone["id"])
    assert abs(arrival["received_at"] - time.time()) < 60


def test_a_restart_keeps_phones_keys_and_access_tokens(tmp_path: Path) -> None:
    port, page_port = free_port(), free_port()
    with running(tmp_path, port=port, page_port=page_port) as sandbox:
        before = [sandbox.phone(platform) for platform in ("apns", "fcm", "webpush")]
        gone = sandbox.phone("apns", owner="Gone")
        sandbox.call("DELETE", f"/api/phones/{gone['id']}")
        senders = Senders(sandbox)
        access_token = senders.access_token()
    with running(tmp_path, port=port, page_port=page_port) as sandbox:
        assert [sandbox.phone(platform) for platform in ("apns", "fcm", "webpush")] == before
        pushes = (
            senders.apns(before[0]),
            senders.fcm(before[1]),
            senders.webpush(before[2]),
            senders.apns(gone),
        )
        assert [senders.send(push).status for push in pushes] == [200, 200, 201, 410]
        assert senders.access_token() == access_token


def test_secrets_are_readable_by_their_owner_only(running_sandbox: SandboxProcess) -> None:
    made = ("ca.key", "server.key", "apns.p8", "fcm.json", "vapid.pem", "oauth.secret")
    for name in (*made, "applications.json", "phones.json"):
        path = running_sandbox.state / name
        if path.exists() or name != "phones.json":
            assert path.stat().st_mode & 0o077 == 0, name
