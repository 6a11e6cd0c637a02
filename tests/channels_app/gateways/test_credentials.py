"""Where an application's keys come from, and what a broken one does to the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from channels_app.gateways import apns
from channels_app.gateways.apns import ApnsApplication
from channels_app.gateways.credentials import Applications, Credentials
from channels_app.gateways.fcm_access import FcmApplication
from channels_app.gateways.outcomes import BrokenCredentials, Unsendable
from channels_app.gateways.pushes import Platform, Target
from channels_app.gateways.webpush import WebPushApplication


def target(platform: Platform, application_id: str) -> Target:
    return Target(platform, application_id, "token")


def write_key(path: Path) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def write_account(path: Path) -> str:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "project_id": "project",
        "client_email": "a@example.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        "private_key_id": "k1",
        "private_key": pem,
    }
    path.write_text(json.dumps(account))
    return str(path)


def ios(path: str, **changes: Any) -> dict[str, Any]:
    return {
        "PLATFORM": "APNS",
        "AUTH_KEY_PATH": path,
        "AUTH_KEY_ID": "ABC123DEFG",
        "TEAM_ID": "DEF123GHIJ",
        "TOPIC": "com.example.pushbridge",
        "USE_SANDBOX": False,
    } | changes


def applications(given: dict[str, dict[str, Any]], **changes: Any) -> Applications:
    return Applications(credentials=Credentials(given), **changes)


def test_an_ios_application_is_read(tmp_path: Path) -> None:
    given = {"ios": ios(write_key(tmp_path / "key.p8"))}

    app = applications(given, shapes={"ios": "plain"}, entitled=frozenset({"ios"})).of(
        target(Platform.APNS, "ios")
    )

    assert isinstance(app, ApnsApplication)
    assert (app.topic, app.team_id, app.key_id) == (
        "com.example.pushbridge",
        "DEF123GHIJ",
        "ABC123DEFG",
    )
    assert (app.url, app.shape, app.entitled) == (apns.PRODUCTION_URL, "plain", True)


def test_a_development_build_goes_to_apples_development_servers(tmp_path: Path) -> None:
    given = {"ios": ios(write_key(tmp_path / "key.p8"), USE_SANDBOX=True)}

    app = applications(given).of(target(Platform.APNS, "ios"))

    assert isinstance(app, ApnsApplication)
    assert app.url == apns.DEVELOPMENT_URL


def test_an_android_application_is_read(tmp_path: Path) -> None:
    accounts = {"android": write_account(tmp_path / "fcm.json")}

    app = applications({"android": {"PLATFORM": "FCM"}}, service_accounts=accounts).of(
        target(Platform.FCM, "android")
    )

    assert isinstance(app, FcmApplication)
    assert app.send_url == "https://fcm.googleapis.com/v1/projects/project/messages:send"


def test_a_web_application_is_read(tmp_path: Path) -> None:
    given = {
        "web": {
            "PLATFORM": "WP",
            "PRIVATE_KEY": write_key(tmp_path / "vapid.pem"),
            "CLAIMS": {"sub": "mailto:ops@example.com"},
        }
    }

    app = applications(given, webpush_hosts=("h",)).of(target(Platform.WEBPUSH, "web"))

    assert isinstance(app, WebPushApplication)
    assert (app.subject, app.hosts) == ("mailto:ops@example.com", ("h",))


def test_an_application_is_loaded_once(tmp_path: Path) -> None:
    apps = applications({"ios": ios(write_key(tmp_path / "key.p8"))})
    ios_target = target(Platform.APNS, "ios")

    first = apps.of(ios_target)
    assert apps.of(ios_target) is first
    apps.forget(ios_target, first)
    assert apps.of(ios_target) is not first


def test_a_late_refusal_of_the_old_key_does_not_drop_the_new_one(tmp_path: Path) -> None:
    apps = applications({"ios": ios(write_key(tmp_path / "key.p8"))})
    ios_target = target(Platform.APNS, "ios")
    refused = apps.of(ios_target)
    apps.forget(ios_target, refused)
    repaired = apps.of(ios_target)

    apps.forget(ios_target, refused)

    assert apps.of(ios_target) is repaired


def test_an_unknown_application_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unsendable, match="UnknownApplication.*nothing-like-it"):
        applications({}).of(target(Platform.APNS, "nothing-like-it"))


def test_an_application_of_another_platform_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(Unsendable, match="UnknownApplication"):
        applications({"ios": ios(write_key(tmp_path / "key.p8"))}).of(target(Platform.FCM, "ios"))


@pytest.mark.parametrize("content", [None, b"", b"not a key"])
def test_a_broken_key_breaks_one_application_only(content: bytes | None, tmp_path: Path) -> None:
    broken = tmp_path / "broken.p8"
    if content is not None:
        broken.write_bytes(content)
    apps = applications({"a": ios(str(broken)), "b": ios(write_key(tmp_path / "key.p8"))})

    with pytest.raises(BrokenCredentials):
        apps.of(target(Platform.APNS, "a"))
    assert isinstance(apps.of(target(Platform.APNS, "b")), ApnsApplication)


def test_a_repaired_key_is_found_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "key.p8"
    apps = applications({"ios": ios(str(path))})
    with pytest.raises(BrokenCredentials):
        apps.of(target(Platform.APNS, "ios"))

    write_key(path)

    assert isinstance(apps.of(target(Platform.APNS, "ios")), ApnsApplication)


def test_an_ios_application_needs_a_topic(tmp_path: Path) -> None:
    given = ios(write_key(tmp_path / "key.p8"), TOPIC=None)

    with pytest.raises(BrokenCredentials, match="TopicMissing"):
        applications({"ios": given}).of(target(Platform.APNS, "ios"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"project_id": "p", "private_key": "x"}'])
def test_a_broken_service_account_is_broken_credentials(content: str, tmp_path: Path) -> None:
    path = tmp_path / "fcm.json"
    path.write_text(content)
    apps = applications({"android": {"PLATFORM": "FCM"}}, service_accounts={"android": str(path)})

    with pytest.raises(BrokenCredentials):
        apps.of(target(Platform.FCM, "android"))


def test_an_android_application_without_a_service_account_is_broken() -> None:
    with pytest.raises(BrokenCredentials):
        applications({"android": {"PLATFORM": "FCM"}}).of(target(Platform.FCM, "android"))
