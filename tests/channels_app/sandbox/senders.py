"""Correct pushes to the sandbox, made without any code of ours; tests spoil one part at a time."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from channels_app.sandbox.process import SandboxProcess
from tests.channels_app.sandbox.client import Answer, connected

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MESSAGING = "https://www.googleapis.com/auth/firebase.messaging"


@dataclass(slots=True)
class Push:
    """A request as data: change what you like, then `Senders.send` it."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def content(self) -> Any:
        """The decoded JSON body."""
        return json.loads(self.body)


@dataclass(slots=True)
class Senders:
    """What a provider holds: the credentials of applications.json."""

    sandbox: SandboxProcess
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    _provider_tokens: dict[str, str] = field(default_factory=dict)
    _access_tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.applications = json.loads(self.sandbox.applications_file.read_text())

    def send(self, push: Push) -> Answer:
        """Send one push on a connection of its own."""
        with connected(self.sandbox.url, self.sandbox.ca_file) as client:
            return client.send(push.path, push.headers, push.body, method=push.method)

    # -- APNs ----------------------------------------------------------------------------------

    def provider_token(
        self,
        application_id: str = "ios-sandbox",
        *,
        header: Mapping[str, Any] | None = None,
        key: Any = None,
        **claims: Any,
    ) -> str:
        """A provider token; claims of None are left out."""
        app = self.applications[application_id]
        content = {"iss": app["team_id"], "iat": int(time.time()), **claims}
        return jwt.encode(
            {name: value for name, value in content.items() if value is not None},
            key or Path(app["auth_key_path"]).read_text(),
            algorithm="ES256",
            headers={"kid": app["auth_key_id"], **(header or {})},
        )

    def apns(
        self,
        phone: Mapping[str, Any],
        payload: Mapping[str, Any] | None = None,
        **headers: str | None,
    ) -> Push:
        """A correct notification; headers with underscores for hyphens, None leaves one out."""
        application_id = phone["application_id"]
        if application_id not in self._provider_tokens:
            self._provider_tokens[application_id] = self.provider_token(application_id)
        given = {
            "authorization": f"bearer {self._provider_tokens[application_id]}",
            "apns-topic": self.applications[application_id]["topic"],
            "apns-push-type": "alert",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        content = payload if payload is not None else {"aps": alert("Hello"), "body": {}}
        return Push(
            path=f"/3/device/{phone['registration_id']}",
            headers={name: value for name, value in given.items() if value is not None},
            body=json.dumps(content).encode(),
        )

    # -- FCM -----------------------------------------------------------------------------------

    def account(self, application_id: str = "android-sandbox") -> dict[str, Any]:
        """The service account."""
        path = Path(self.applications[application_id]["service_account_path"])
        account: dict[str, Any] = json.loads(path.read_text())
        return account

    def grant(
        self, application_id: str = "android-sandbox", *, key: Any = None, **claims: Any
    ) -> Push:
        """A request for an access token."""
        account = self.account(application_id)
        now = int(time.time())
        content = {
            "iss": account["client_email"],
            "aud": account["token_uri"],
            "scope": MESSAGING,
            "iat": now,
            "exp": now + 3600,
            **claims,
        }
        assertion = jwt.encode(content, key or account["private_key"], algorithm="RS256")
        return Push(
            path="/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode({"grant_type": GRANT_TYPE, "assertion": assertion}).encode(),
        )

    def access_token(self, application_id: str = "android-sandbox") -> str:
        """An access token, fetched once."""
        if application_id not in self._access_tokens:
            answer = self.send(self.grant(application_id))
            self._access_tokens[application_id] = answer.json["access_token"]
        return self._access_tokens[application_id]

    def fcm(self, phone: Mapping[str, Any], **message: Any) -> Push:
        """A correct data message of shape `expo`; keywords replace parts of the message."""
        application_id = phone["application_id"]
        content = {
            "token": phone["registration_id"],
            "data": expo_data("Hello"),
            "android": {"priority": "HIGH", "ttl": "60s"},
            **message,
        }
        kept = {name: value for name, value in content.items() if value is not None}
        return Push(
            path=f"/v1/projects/{self.account(application_id)['project_id']}/messages:send",
            headers={
                "authorization": f"Bearer {self.access_token(application_id)}",
                "content-type": "application/json",
            },
            body=json.dumps({"message": kept}).encode(),
        )

    # -- Web Push ------------------------------------------------------------------------------

    def vapid_key(self) -> ec.EllipticCurvePrivateKey:
        """The site's key."""
        path = Path(self.applications["web-sandbox"]["private_key_path"])
        key = load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def vapid(self, *, key: ec.EllipticCurvePrivateKey | None = None, **claims: Any) -> str:
        """The Authorization header; claims of None are left out."""
        signing_key = key or self.vapid_key()
        content = {
            "aud": self.sandbox.url,
            "exp": int(time.time()) + 3600,
            "sub": "mailto:ops@example.com",
            **claims,
        }
        kept = {name: value for name, value in content.items() if value is not None}
        point = signing_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return f"vapid t={jwt.encode(kept, signing_key, algorithm='ES256')}, k={unpadded(point)}"

    def webpush(
        self,
        phone: Mapping[str, Any],
        payload: Any = None,
        *,
        plain: bytes | None = None,
        **headers: str | None,
    ) -> Push:
        """A correct message; `plain` is encrypted as it is."""
        text = plain if plain is not None else json.dumps(payload or {"title": "Hello"}).encode()
        given = {
            "authorization": self.vapid(),
            "ttl": "60",
            "urgency": "high",
            "content-encoding": "aes128gcm",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return Push(
            path=urlsplit(phone["registration_id"]).path,
            headers={name: value for name, value in given.items() if value is not None},
            body=encrypt(text, phone),
        )


def alert(title: str, body: str = "", **aps: Any) -> dict[str, Any]:
    """An `aps` dictionary; underscores stand for hyphens."""
    extra = {name.replace("_", "-"): value for name, value in aps.items()}
    return {"alert": {"title": title, "body": body}, **extra}


def expo_data(title: str, message: str = "", channel: str = "loud", **data: str) -> dict[str, str]:
    """The data of a message that expo-notifications draws."""
    return {"title": title, "message": message, "body": "{}", "channelId": channel, **data}


def unpadded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "==")


def encrypt(text: bytes, phone: Mapping[str, Any], **options: Any) -> bytes:
    """Encrypt for a subscription with the http_ece library (RFC 8291)."""
    encrypted: bytes = http_ece.encrypt(
        text,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=padded(phone["p256dh"]),
        auth_secret=padded(phone["auth"]),
        version="aes128gcm",
        **options,
    )
    return encrypted
