"""A dispatcher that pushes to the sandbox, and the pushes for its phones."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from channels_app.gateways.credentials import Applications, Credentials
from channels_app.gateways.dispatch import Dispatcher, GatewayConfig
from channels_app.gateways.pushes import Answer, Platform, Push, Target
from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.gateways.making import push

PATIENCE = 20.0
PLATFORMS = ["apns", "fcm", "webpush"]

Dispatchers = Callable[..., Dispatcher]


def credentials_of(application: dict[str, Any]) -> dict[str, Any]:
    """An entry of the sandbox's applications.json as django-push-notifications has it."""
    match application["platform"]:
        case "APNS":
            return {
                "PLATFORM": "APNS",
                "AUTH_KEY_PATH": application["auth_key_path"],
                "AUTH_KEY_ID": application["auth_key_id"],
                "TEAM_ID": application["team_id"],
                "TOPIC": application["topic"],
            }
        case "FCM":
            return {"PLATFORM": "FCM"}
        case _:
            claims = {"sub": application["subject"]}
            path = application["private_key_path"]
            return {"PLATFORM": "WP", "PRIVATE_KEY": path, "CLAIMS": claims}


def config(sandbox: SandboxProcess, **changes: Any) -> GatewayConfig:
    given = json.loads(sandbox.applications_file.read_text())
    overrides = changes.pop("credentials", {})
    applications = Applications(
        credentials=Credentials(
            {name: credentials_of(app) | overrides.get(name, {}) for name, app in given.items()}
        ),
        shapes={name: app.get("shape", "expo") for name, app in given.items()},
        entitled=frozenset(name for name, app in given.items() if app.get("critical_alerts")),
        service_accounts={
            name: app["service_account_path"]
            for name, app in given.items()
            if app["platform"] == "FCM"
        },
        apns_url=sandbox.url,
        fcm_url=sandbox.url,
        webpush_hosts=(urlsplit(sandbox.url).netloc,),
    )
    return GatewayConfig(
        applications,
        ca_file=str(sandbox.ca_file),
        networks=changes.pop("networks", ["127.0.0.0/8"]),
        **changes,
    )


def banner_for(phone: dict[str, Any], **changes: Any) -> Push:
    target = Target(
        platform=Platform(phone["platform"]),
        application_id=phone["application_id"],
        registration_id=phone["registration_id"],
        p256dh=phone.get("p256dh") or "",
        auth=phone.get("auth") or "",
        critical_allowed=True,
    )
    fields: dict[str, Any] = {"expires_at": datetime.now(UTC) + timedelta(minutes=5)}
    given = push(**(fields | changes))
    return Push(**{name: getattr(given, name) for name in Push.__slots__} | {"target": target})


def answers(dispatcher: Dispatcher, *pushes: Push) -> dict[int, Answer]:
    """Submit, and poll until all have come back."""
    for each in pushes:
        dispatcher.submit(each, datetime.now(UTC))
    found: dict[int, Answer] = {}
    until = time.monotonic() + PATIENCE
    while dispatcher.in_flight and time.monotonic() < until:
        for answer in dispatcher.poll(1.0):
            assert answer.delivery_id not in found
            found[answer.delivery_id] = answer
    assert set(found) == {each.delivery_id for each in pushes}
    return found


def answer(dispatcher: Dispatcher, one: Push) -> Answer:
    return answers(dispatcher, one)[one.delivery_id]
