"""The applications that the sandbox's phones run, read from `applications.json`.

The file is the one that Pushbridge itself is configured with, so both sides hold the same keys.
"""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class AppleApp:
    """An iOS app and the team's signing key (Apple: "Establishing a token-based connection")."""

    application_id: str
    topic: str
    team_id: str
    key_id: str
    public_key: EllipticCurvePublicKey
    shape: str
    critical_alerts: bool


@dataclass(frozen=True, slots=True)
class GoogleApp:
    """An Android app and the service account of its Firebase project."""

    application_id: str
    project_id: str
    client_email: str
    public_key: RSAPublicKey
    shape: str


@dataclass(frozen=True, slots=True)
class WebApp:
    """A web app and the key that its pages subscribe with (applicationServerKey, base64url)."""

    application_id: str
    application_server_key: str


@dataclass(frozen=True, slots=True)
class Applications:
    """Every application, by its id."""

    apple: dict[str, AppleApp] = field(default_factory=dict)
    google: dict[str, GoogleApp] = field(default_factory=dict)
    web: dict[str, WebApp] = field(default_factory=dict)

    def platform_of(self, application_id: str) -> str | None:
        """ "apns", "fcm" or "webpush"; None for an unknown application."""
        platforms = (p for p, ids in self._ids_by_platform().items() if application_id in ids)
        return next(platforms, None)

    def default_for(self, platform: str) -> str | None:
        """The first application of a platform, for phones enrolled without naming one."""
        return next(iter(self._ids_by_platform().get(platform, ())), None)

    def _ids_by_platform(self) -> dict[str, list[str]]:
        return {"apns": list(self.apple), "fcm": list(self.google), "webpush": list(self.web)}


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def load(path: Path) -> Applications:
    """Read the applications and their public keys. Raises OSError, ValueError, KeyError."""
    found = Applications()
    for application_id, entry in json.loads(path.read_text()).items():
        match entry["platform"]:
            case "APNS":
                found.apple[application_id] = _apple(application_id, entry)
            case "FCM":
                found.google[application_id] = _google(application_id, entry)
            case "WP":
                found.web[application_id] = _web(application_id, entry)
            case platform:
                raise ValueError(f"{application_id}: unknown platform {platform!r}")
    return found


def _apple(application_id: str, entry: dict[str, Any]) -> AppleApp:
    public_key = _public_key(Path(entry["auth_key_path"]).read_bytes())
    if not isinstance(public_key, EllipticCurvePublicKey):
        raise ValueError(f"{application_id}: the .p8 file holds no elliptic curve key")
    return AppleApp(
        application_id=application_id,
        topic=entry["topic"],
        team_id=entry["team_id"],
        key_id=entry["auth_key_id"],
        public_key=public_key,
        shape=entry.get("shape", "expo"),
        critical_alerts=bool(entry.get("critical_alerts", False)),
    )


def _google(application_id: str, entry: dict[str, Any]) -> GoogleApp:
    account = json.loads(Path(entry["service_account_path"]).read_text())
    public_key = _public_key(account["private_key"].encode())
    if not isinstance(public_key, RSAPublicKey):
        raise ValueError(f"{application_id}: the service account holds no RSA key")
    return GoogleApp(
        application_id=application_id,
        project_id=account["project_id"],
        client_email=account["client_email"],
        public_key=public_key,
        shape=entry.get("shape", "expo"),
    )


def _web(application_id: str, entry: dict[str, Any]) -> WebApp:
    public_key = _public_key(Path(entry["private_key_path"]).read_bytes())
    if not isinstance(public_key, EllipticCurvePublicKey):
        raise ValueError(f"{application_id}: the VAPID key is no elliptic curve key")
    point = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return WebApp(application_id, base64url(point))


def _public_key(pem: bytes) -> object:
    return load_pem_private_key(pem, password=None).public_key()
