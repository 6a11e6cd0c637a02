"""What is said of a device: as it is shown, as it registers itself, and where it is pushed to."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from channels_app.api.fields import Body, TimeZoneField
from channels_app.gateways import webpush
from channels_app.gateways.message_encryption import BadKeys, subscription_keys
from channels_app.installations import About
from channels_app.models import Installation, Privacy
from channels_app.models.rules import CHANNELS
from channels_app.push_tokens import Address

Platform = Installation.Platform

# As `PUSH_APPLICATIONS_FILE` and django-push-notifications call them.
PLATFORM_OF = {"APNS": Platform.APNS, "FCM": Platform.FCM, "WP": Platform.WEBPUSH}
# Apple gives no length and has long given 32 bytes; the column ends at 200 digits.
APNS_TOKEN = re.compile(r"(?:[0-9a-f]{2}){32,100}")
# Google gives no length either, and no alphabet. PostgreSQL's unique index takes no more than
# 2,704 bytes; tokens have some 160.
MAX_TOKEN_CHARACTERS = 2048
FCM_TOKEN = re.compile(r"[!-~]+")
SECRET = r"^[!-~]{32,256}\Z"


class AboutBody(Body):
    """What an app says of itself and of its device."""

    name = serializers.CharField(
        max_length=100, allow_blank=True, help_text="As its owner calls it."
    )
    app_version = serializers.CharField(max_length=32, allow_blank=True)
    locale = serializers.CharField(
        max_length=35, allow_blank=True, help_text="The language it is set to: a BCP 47 tag."
    )
    time_zone = TimeZoneField(help_text="The IANA name of the zone it is set to.")
    os_permission = serializers.ChoiceField(
        choices=Installation.Permission.choices,
        help_text="What the operating system lets the app show.",
    )
    critical_allowed = serializers.BooleanField(
        help_text="The person allowed critical alerts. Otherwise escalations come as"
        " time-sensitive."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An iPhone",
            response_only=True,
            value={
                "id": "6f9a3c1e-6a53-4b5e-9d0f-0f6a5d9e2b11",
                "platform": "apns",
                "application_id": "ios",
                "name": "Alice's iPhone",
                "app_version": "1.4.0",
                "locale": "de-AT",
                "time_zone": "Europe/Vienna",
                "os_permission": "granted",
                "critical_allowed": True,
                "muted_channels": ["workflow"],
                "privacy": "",
                "dead_since": None,
                "registered_at": "2026-11-23T09:15:00Z",
            },
        ),
        OpenApiExample(
            "Mute a channel on this device",
            request_only=True,
            value={"muted_channels": ["workflow"], "privacy": "redacted"},
        ),
    ]
)
class DeviceBody(AboutBody):
    id = serializers.UUIDField(read_only=True, help_text="The installation's, as the app chose it.")
    platform = serializers.ChoiceField(choices=Platform.choices, read_only=True)
    application_id = serializers.SerializerMethodField(help_text="The app that is pushed to.")
    muted_channels = serializers.ListField(
        child=serializers.ChoiceField(choices=CHANNELS),
        help_text="Channels that this device shows nothing of.",
    )
    privacy = serializers.ChoiceField(
        choices=Privacy.choices,
        allow_blank=True,
        help_text="How much of a banner travels to it, where that is less than everywhere else.",
    )
    dead_since = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="The push service said that its token is dead: register again with a new one.",
    )
    registered_at = serializers.DateTimeField(
        read_only=True, help_text="When its app last told its token."
    )

    def get_application_id(self, row: Installation) -> str:
        token = row.apns or row.fcm or row.webpush
        return (token.application_id if token else None) or ""

    def validate_muted_channels(self, channels: list[str]) -> list[str]:
        return sorted(set(channels))


class WebPushKeysBody(Body):
    p256dh = serializers.CharField(max_length=88, help_text="A point of P-256, base64url.")
    auth = serializers.CharField(max_length=24, help_text="16 bytes, base64url.")

    def validate(self, keys: dict[str, Any]) -> dict[str, Any]:
        try:
            subscription_keys(keys["p256dh"], keys["auth"])
        except BadKeys as error:
            raise serializers.ValidationError({error.key: [error.complaint]}) from None
        return keys


class WebPushSubscriptionBody(Body):
    """What `PushSubscription.toJSON()` gives in the browser."""

    endpoint = serializers.CharField(
        max_length=webpush.MAX_ENDPOINT_CHARACTERS,
        trim_whitespace=False,
        help_text="An address of a browser vendor's push service.",
    )
    expirationTime = serializers.IntegerField(
        required=False, allow_null=True, help_text="Not used: the push service will tell."
    )
    keys = WebPushKeysBody()

    def validate_endpoint(self, url: str) -> str:
        if error := webpush.endpoint_error(url, settings.WEBPUSH_HOSTS):
            raise serializers.ValidationError(f"is {error}")
        return url


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An iPhone",
            request_only=True,
            value={
                "secret": "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E",
                "platform": "apns",
                "application_id": "ios",
                "token": "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad",
                "name": "Alice's iPhone",
                "app_version": "1.4.0",
                "locale": "de-AT",
                "time_zone": "Europe/Vienna",
                "os_permission": "granted",
                "critical_allowed": True,
            },
        ),
        OpenApiExample(
            "An Android phone",
            request_only=True,
            value={
                "secret": "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E",
                "platform": "fcm",
                "token": "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1",
                "os_permission": "granted",
            },
        ),
        OpenApiExample(
            "A browser",
            request_only=True,
            value={
                "secret": "q0Yx2vJ7mZs4Wc9RkT1bNf6HpD3gLa8E",
                "platform": "webpush",
                "subscription": {
                    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk",
                    "expirationTime": None,
                    "keys": {
                        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjy"
                        "Pjs7Vd8pZGH6SRpkNtoIAiw4",
                        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                    },
                },
            },
        ),
    ]
)
class DeviceRegistrationBody(AboutBody):
    """What an app says of itself, whichever of it it knows, and where it is pushed to."""

    secret = serializers.RegexField(
        SECRET,
        trim_whitespace=False,
        help_text="Of the installation: at least 32 random characters, made when the app first"
        " starts and kept in the keychain. It proves that this is the same installation.",
        error_messages={"invalid": "must be 32 to 256 printable ASCII characters, at random"},
    )
    platform = serializers.ChoiceField(choices=Platform.choices)
    application_id = serializers.CharField(
        required=False,
        help_text="The app, as the server's operator named it. Not needed where there is one of"
        " this platform.",
    )
    token = serializers.CharField(
        required=False,
        max_length=MAX_TOKEN_CHARACTERS,
        trim_whitespace=False,
        help_text="`apns`: the device token, in hexadecimal. `fcm`: the registration token.",
    )
    subscription = WebPushSubscriptionBody(
        required=False, help_text="`webpush`: what the browser's `subscription.toJSON()` gives."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in About.__annotations__:
            self.fields[name].required = False

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Put an `address` in the place of what says where to push to."""
        platform = Platform(given.pop("platform"))
        application_id = _application_id(platform, given.pop("application_id", None))
        token, subscription = given.pop("token", None), given.pop("subscription", None)
        if platform == Platform.WEBPUSH:
            _expect("subscription", subscription, instead_of="token", given=token)
            given["address"] = Address(
                platform, application_id, subscription["endpoint"], **subscription["keys"]
            )
        else:
            _expect("token", token, instead_of="subscription", given=subscription)
            given["address"] = Address(platform, application_id, _token(platform, token))
        return given


def _application_id(platform: Platform, wanted: str | None) -> str:
    ids = [
        name
        for name, application in settings.PUSH_APPLICATIONS.items()
        if PLATFORM_OF[application["PLATFORM"]] == platform
    ]
    if not ids:
        raise serializers.ValidationError({"platform": ["no app of this platform is pushed to"]})
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted not in ids:
        choice = ", ".join(sorted(ids))
        raise serializers.ValidationError({"application_id": [f"must be one of: {choice}"]})
    return wanted


def _expect(name: str, value: object, *, instead_of: str, given: object) -> None:
    if value is None:
        raise serializers.ValidationError({name: ["is needed on this platform"]})
    if given is not None:
        raise serializers.ValidationError({instead_of: ["is nothing of this platform"]})


def _token(platform: Platform, token: str) -> str:
    if platform == Platform.FCM:
        if not FCM_TOKEN.fullmatch(token):
            raise serializers.ValidationError({"token": ["must be printable ASCII characters"]})
        return token
    if not APNS_TOKEN.fullmatch(token.lower()):
        raise serializers.ValidationError(
            {"token": ["must be the bytes of a device token as 64 to 200 hexadecimal digits"]}
        )
    return token.lower()
