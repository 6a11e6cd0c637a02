"""The phones: who owns them, under which token they are reached, what is on their screens."""

import json
import secrets
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels_app.sandbox.applications import Applications, base64url
from channels_app.sandbox.banners import Banner
from channels_app.sandbox.keys import write_secret

SCREEN_LIMIT = 500
HISTORY_LIMIT = 20_000
PENDING_LIMIT = 100
"""FCM keeps at most 100 messages for a device that is away; we hold everyone to that."""


class UnknownApplication(ValueError):
    """A phone was asked for that runs an application nobody configured."""


@dataclass(slots=True)
class Phone:
    """One device. `address` is what a sender knows it by: a token, or the endpoint's last part."""

    id: str
    platform: str
    application_id: str
    owner: str
    name: str
    address: str
    enrolled_at: float
    private_key: str = ""
    """Web Push: the subscription's private scalar, hexadecimal."""
    p256dh: str = ""
    auth: str = ""
    application_server_key: str = ""
    """Web Push: the key that the subscription was made with; only its holder may push."""
    dead_since: float | None = None
    online: bool = True
    silenced: bool = False
    installation_id: str = ""
    """What the app chose when it first started, and keeps in the keychain."""
    installation_secret: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One push on one phone, as it was received."""

    seq: int
    phone: Phone
    received_at: float
    banner: Banner
    replaced: bool
    rang: bool
    headers: Mapping[str, str]
    payload: Any

    def as_json(self) -> dict[str, Any]:
        """The flat form that the page and its API speak."""
        banner = self.banner
        return {
            "seq": self.seq,
            "phone_id": self.phone.id,
            "owner": self.phone.owner,
            "phone_name": self.phone.name,
            "platform": self.phone.platform,
            "received_at": self.received_at,
            "title": banner.title,
            "subtitle": banner.subtitle,
            "body": banner.body,
            "level": banner.level,
            "wire_level": banner.wire_level,
            "sound": banner.sound,
            "rang": self.rang,
            "shown": banner.visible,
            "replaced": self.replaced,
            "stays": banner.stays,
            "actions": [{"action": key, "title": title} for key, title in banner.actions],
            "category": banner.category,
            "tag": banner.tag,
            "collapse_key": banner.collapse_key,
            "thread": banner.thread,
            "link": banner.link,
            "data": dict(banner.data),
            "badge": banner.badge,
            "lang": banner.lang,
            "direction": banner.direction,
            "expires_at": banner.expires_at,
            "warnings": list(banner.warnings),
            "headers": dict(self.headers),
            "payload": self.payload,
        }


@dataclass(slots=True)
class Screen:
    """What a phone shows, newest first, and what it has been through."""

    arrivals: list[Arrival] = field(default_factory=list)
    pending: list[tuple[Banner, Mapping[str, str], Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class PhoneBook:
    """All phones, kept in one file that is written when they change, not when they receive."""

    def __init__(self, path: Path, applications: Applications) -> None:
        self._path = path
        self._applications = applications
        self._phones: dict[str, Phone] = {}
        self._by_address: dict[tuple[str, str], Phone] = {}
        self._screens: dict[str, Screen] = {}
        self._history: deque[Arrival] = deque(maxlen=HISTORY_LIMIT)
        self._seq = 0
        self.on_arrival: list[Callable[[Arrival], None]] = []
        self.on_change: list[Callable[[], None]] = []
        if path.exists():
            known = {f.name for f in fields(Phone)}
            for entry in json.loads(path.read_text()):
                self._add(Phone(**{key: entry[key] for key in entry if key in known}))

    def __iter__(self) -> Iterator[Phone]:
        """The living phones, in the order in which they were enrolled."""
        return (phone for phone in self._phones.values() if phone.dead_since is None)

    def get(self, phone_id: str) -> Phone | None:
        """A phone by its id, dead ones included."""
        return self._phones.get(phone_id)

    def at(self, platform: str, address: str) -> Phone | None:
        """The phone behind a token; a dead one has `dead_since` set."""
        return self._by_address.get((platform, address))

    def screen(self, phone: Phone) -> Screen:
        """What the phone shows and has counted."""
        return self._screens[phone.id]

    def enroll(
        self, *, platform: str, owner: str, name: str, application_id: str, now: float
    ) -> tuple[Phone, bool]:
        """The owner's living phone of that name, and whether it is new.

        Raises UnknownApplication.
        """
        for phone in self:
            if phone.owner == owner and phone.name == name:
                return phone, False
        if self._applications.platform_of(application_id) != platform:
            raise UnknownApplication(f"{application_id!r} is no {platform} application")
        phone = self._new(platform, owner, name, application_id, now)
        self._add(phone)
        self._changed()
        return phone, True

    def remove(self, phone: Phone, *, now: float) -> None:
        """The app was deleted: its token is dead from now on."""
        phone.dead_since = now
        self._screens[phone.id] = Screen()
        self._changed()

    def switch(self, phone: Phone, *, now: float, **switches: bool) -> None:
        """Turn `online` or `silenced`; coming back online delivers what waited."""
        for name, value in switches.items():
            setattr(phone, name, value)
        self._changed()
        screen = self._screens[phone.id]
        if phone.online and screen.pending:
            waiting, screen.pending = screen.pending, []
            for banner, headers, payload in waiting:
                self.receive(phone, banner, headers=headers, payload=payload, now=now)

    def dismiss(self, phone: Phone, arrival: Arrival) -> None:
        """A button of a banner was tapped, and the system takes it off the screen."""
        self._screens[phone.id].arrivals.remove(arrival)
        self._announce()

    def clear(self, phone: Phone) -> None:
        """Wipe the screen; the counts stay."""
        self._screens[phone.id].arrivals.clear()
        self._announce()

    def receive(
        self,
        phone: Phone,
        banner: Banner,
        *,
        headers: Mapping[str, str],
        payload: Any,
        now: float,
    ) -> None:
        """A push was accepted for this phone: show it, keep it for later, or let it expire."""
        screen = self._screens[phone.id]
        screen.counts["accepted"] += 1
        if banner.expires_at is not None and banner.expires_at < now:
            screen.counts["expired"] += 1
            return
        if not phone.online:
            _keep(screen, banner, headers, payload)
            return
        self._show(phone, screen, banner, headers, payload, now)

    def history(self, after: int = 0) -> list[Arrival]:
        """Arrivals with a higher sequence number, oldest first (bounded by HISTORY_LIMIT)."""
        if after >= self._seq:
            return []
        return [arrival for arrival in self._history if arrival.seq > after]

    @property
    def last_seq(self) -> int:
        """The sequence number of the latest arrival."""
        return self._seq

    def _show(
        self,
        phone: Phone,
        screen: Screen,
        banner: Banner,
        headers: Mapping[str, str],
        payload: Any,
        now: float,
    ) -> None:
        older = None
        if banner.tag:
            older = next((a for a in screen.arrivals if a.banner.tag == banner.tag), None)
        may_ring = older is None or banner.rings_when_replacing
        audible = banner.breaks_silence or not phone.silenced
        rang = banner.visible and banner.rings and may_ring and audible
        self._seq += 1
        arrival = Arrival(self._seq, phone, now, banner, older is not None, rang, headers, payload)
        screen.counts["shown"] += banner.visible
        screen.counts["replaced"] += older is not None
        screen.counts["rang"] += rang
        if older is not None:
            screen.arrivals.remove(older)
        if banner.visible:
            screen.arrivals.insert(0, arrival)
            del screen.arrivals[SCREEN_LIMIT:]
        self._history.append(arrival)
        for listener in self.on_arrival:
            listener(arrival)

    def _new(self, platform: str, owner: str, name: str, application_id: str, now: float) -> Phone:
        phone = Phone(
            id=secrets.token_hex(6),
            platform=platform,
            application_id=application_id,
            owner=owner,
            name=name,
            address=_new_address(platform),
            enrolled_at=now,
            installation_id=str(uuid.uuid4()),
            installation_secret=secrets.token_urlsafe(32),
        )
        if platform == "webpush":
            key = ec.generate_private_key(ec.SECP256R1())
            point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            phone.private_key = f"{key.private_numbers().private_value:064x}"
            phone.p256dh = base64url(point)
            phone.auth = base64url(secrets.token_bytes(16))
            app = self._applications.web[application_id]
            phone.application_server_key = app.application_server_key
        return phone

    def _add(self, phone: Phone) -> None:
        self._phones[phone.id] = phone
        self._by_address[phone.platform, phone.address] = phone
        self._screens[phone.id] = Screen()

    def _changed(self) -> None:
        content = json.dumps([asdict(phone) for phone in self._phones.values()], indent=1)
        write_secret(self._path, content.encode())
        self._announce()

    def _announce(self) -> None:
        for listener in self.on_change:
            listener()


def _keep(screen: Screen, banner: Banner, headers: Mapping[str, str], payload: Any) -> None:
    """Keep a push for a phone that is away; the same collapse key takes the place."""
    if banner.collapse_key:
        screen.pending = [
            waiting for waiting in screen.pending if waiting[0].collapse_key != banner.collapse_key
        ]
    screen.pending.append((banner, headers, payload))
    del screen.pending[:-PENDING_LIMIT]


def _new_address(platform: str) -> str:
    """A token of the form that each platform gives out."""
    if platform == "apns":
        return secrets.token_hex(32)
    if platform == "fcm":
        return f"{secrets.token_urlsafe(16)}:APA91b{secrets.token_urlsafe(100)}"
    return f"gAAAAA{secrets.token_urlsafe(96)}"
