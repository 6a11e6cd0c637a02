"""What is asked of a push service, and what it answered: plain data, no network, no ORM.

Here and in the modules beside it, what is made anew for each push is not frozen: nobody changes it,
but thousands are made a second, and freezing doubles the cost of each.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import StrEnum


class Platform(StrEnum):
    """The push services we speak."""

    APNS = "apns"
    FCM = "fcm"
    WEBPUSH = "webpush"


class Verdict(StrEnum):
    """What an answer means for the delivery, and for the device behind it.

    Only DEAD says anything about the device. Everything else leaves it in service: a healthy
    device must never be switched off by a mistake of ours.
    """

    ACCEPTED = "accepted"
    """The service took it."""
    RETRY = "retry"
    """Surely not delivered, and worth another try: after `retry_after`, else by back-off."""
    DEAD = "dead"
    """The token is gone, since `dead_since` (None: as of this answer)."""
    REJECTED = "rejected"
    """Our fault, and the same push will never be taken."""
    CREDENTIALS = "credentials"
    """Our key, topic or sender is broken: every push of that application has to wait."""
    UNKNOWN = "unknown"
    """Sent, and not answered: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Target:
    """One installation of the app, as a push service knows it."""

    platform: Platform
    application_id: str
    registration_id: str
    """APNs device token (hex), FCM registration token, or Web Push endpoint (URL)."""
    p256dh: str = ""
    """Web Push: the browser's public key, base64url of 65 bytes (RFC 8291, section 3.1)."""
    auth: str = ""
    """Web Push: the authentication secret, base64url of 16 bytes (RFC 8291, section 3.2)."""
    critical_allowed: bool = False
    """Whether the person has allowed Critical Alerts on this iPhone."""


@dataclass(slots=True)
class Push:
    """One banner for one installation, rendered and judged: all that is left is to send it."""

    delivery_id: int
    target: Target
    level: str
    """"critical", "loud" or "quiet"."""
    channel: str
    """"escalation", "auto_update" or "workflow"."""
    category: str
    """A key of `banner_actions.CATEGORIES`: which buttons stand under the banner."""
    title: str
    body: str
    link: str
    thread: str
    """Groups banners: one per conversation, bot or run."""
    collapse_key: str
    """Identity of the banner, at most 64 ASCII bytes: the same one replaces what is shown."""
    data: Mapping[str, str]
    expires_at: datetime
    """Aware, UTC. After it the service must not deliver any more."""
    badge: int | None = None
    locale: str = "en"


@dataclass(slots=True)
class Answer:
    """What became of one push. Times are `time.time()` of this machine."""

    delivery_id: int
    verdict: Verdict
    status: int | None
    """The HTTP status, None where there was none."""
    reason: str
    """The service's own word where it has one ("BadDeviceToken"), else ours ("Timeout")."""
    retry_after: float | None = None
    """Seconds the service asked us to wait; None leaves it to our back-off."""
    dead_since: datetime | None = None
    gateway_id: str = ""
    """apns-id, FCM message name, or Web Push Location."""
    _: KW_ONLY
    sent_at: float
    answered_at: float
