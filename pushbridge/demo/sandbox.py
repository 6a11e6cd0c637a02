"""The sandbox gateway as the demo sees it: phones are taken from it, banners are read off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

SECONDS = 10.0


class SandboxGone(Exception):
    """The sandbox does not answer, or not as a sandbox does."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A phone on the wall, and the address that a push service would give its app."""

    id: str
    registration_id: str
    p256dh: str
    auth: str
    installation_id: str
    """Chosen by its app, with a secret that proves it."""
    installation_secret: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A banner as it came to a phone. `level` is what a person perceives of it."""

    seq: int
    phone: str
    owner: str
    platform: str
    received_at: float
    """Seconds since the epoch."""
    title: str
    body: str
    level: str
    replaced: bool
    warnings: tuple[str, ...]
    event_id: str
    """As the banner's data says; empty if it does not."""


class Sandbox:
    """The page's API of a running sandbox (docs/sandbox.md)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        # It is on this machine: no proxy of the environment lies on the way.
        self._session.trust_env = False

    def enroll(self, *, platform: str, owner: str, name: str, application_id: str) -> Enrolled:
        """A new phone, or the one that this owner has under this name."""
        content = {
            "platform": platform,
            "owner": owner,
            "name": name,
            "application_id": application_id,
        }
        phone = self._call("POST", "/api/phones", content)
        return Enrolled(
            id=phone["id"],
            registration_id=phone["registration_id"],
            p256dh=phone["p256dh"],
            auth=phone["auth"],
            installation_id=phone["installation_id"],
            installation_secret=phone["installation_secret"],
        )

    def last_seq(self) -> int:
        """The number of the newest arrival."""
        return int(self._call("GET", "/healthz")["seq"])

    def arrivals(self, *, after: int) -> list[Arrival]:
        """What has come to any phone since, oldest first."""
        return [_arrival(row) for row in self._call("GET", f"/api/banners?after={after}")]

    def tap(self, phone: str, *, conversation: str, action: str) -> int:
        """Tap a button of a conversation's banner; answer the status of the app's own server.

        Raises:
            SandboxGone: there is no such banner, or the app's server does not answer.
        """
        shown = [
            row
            for row in self._banners(phone)
            if row["data"].get("conversation_id") == conversation
        ]
        if not shown:
            raise SandboxGone(f"{phone} shows no banner of {conversation}")
        content = {"seq": shown[0]["seq"], "action": action}
        answer = self._call("POST", f"/api/phones/{shown[0]['phone_id']}/taps", content)
        return int(answer["status"])

    def _banners(self, phone: str) -> list[dict[str, Any]]:
        """What stands on the screen of the phone of this name, the newest first."""
        (found,) = (row for row in self._call("GET", "/api/phones") if row["name"] == phone)
        banners: list[dict[str, Any]] = self._call("GET", f"/api/phones/{found['id']}/banners")
        return banners

    def _call(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._session.request(
                method, self.url + path, json=content, timeout=SECONDS, allow_redirects=False
            )
            answer.raise_for_status()
            return answer.json()
        except requests.RequestException as error:
            raise SandboxGone(f"{self.url}: {error}") from error


def _arrival(row: dict[str, Any]) -> Arrival:
    return Arrival(
        seq=row["seq"],
        phone=row["phone_name"],
        owner=row["owner"],
        platform=row["platform"],
        received_at=row["received_at"],
        title=row["title"],
        body=row["body"],
        level=row["level"],
        replaced=row["replaced"],
        warnings=tuple(row["warnings"]),
        event_id=str(row["data"].get("event_id", "")),
    )
