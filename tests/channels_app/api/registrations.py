"""What apps send to register their devices."""

from __future__ import annotations

from typing import Any

from channels_app.models import User
from tests.api import client_for
from tests.factories import AUTH, P256DH

PHONE = "6f9a3c1e-6a53-4b5e-9d0f-0f6a5d9e2b11"
SECRET, OTHER_SECRET = "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E", "x" * 32
TOKEN, OTHER_TOKEN = "ab" * 32, "cd" * 32
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk"
IPHONE = {"secret": SECRET, "platform": "apns", "token": TOKEN}
ANDROID = {
    "secret": SECRET,
    "platform": "fcm",
    "token": "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1",
}
BROWSER: dict[str, Any] = {
    "secret": SECRET,
    "platform": "webpush",
    "subscription": {
        "endpoint": ENDPOINT,
        "expirationTime": None,
        "keys": {"p256dh": P256DH, "auth": AUTH},
    },
}


def address(installation: object = PHONE) -> str:
    return f"/api/v1/devices/{installation}/"


def put(user: User, body: dict[str, Any], installation: object = PHONE) -> Any:
    return client_for(user).put(address(installation), body)
