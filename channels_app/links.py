"""What a tap opens, and by what a banner is grouped and replaced. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from channels_app.event_types import EventType, Subject


@dataclass(frozen=True, slots=True)
class Identity:
    """What a banner belongs to.

    `thread` groups banners on the lock screen: one per conversation, bot or run. `collapse_key` is
    the banner's own identity: the same one replaces what is shown. Both are 32 characters of
    base64url, which every push service takes as it is (Web Push allows a Topic no more).
    """

    thread: str
    collapse_key: str


def identity(
    row: EventType, *, organization_id: int, event_id: int, data: Mapping[str, Any]
) -> Identity:
    """The identity of an event's banner: the same for every retry and for every replacement.

    A conversation has one banner, a run one for itself and one for each step; changes of a bot
    stand side by side, since each is to be reviewed.
    """
    match row.subject:
        case Subject.CONVERSATION:
            thread = own = ("conversation", data["conversation"]["id"])
        case Subject.BOT:
            thread = ("bot", data["bot"]["id"])
            own = ("event", str(event_id))
        case Subject.RUN:
            run = (data["workflow"]["id"], data["run"]["id"])
            thread = ("run", *run)
            own = ("step", *run, str(data["step"]["index"])) if "step" in data else thread
    return Identity(_digest(organization_id, *thread), _digest(organization_id, *own))


def _digest(organization_id: int, *parts: str) -> str:
    text = "\x00".join((str(organization_id), *parts))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:24]).decode()


def link(row: EventType, *, base: str, organization: str, data: Mapping[str, Any]) -> str:
    """The page that a tap on the banner opens; `organization` is its slug."""
    match row.subject:
        case Subject.CONVERSATION:
            path = f"conversations/{_id(data['conversation'])}"
        case Subject.BOT:
            path = f"bots/{_id(data['bot'])}/audit-log"
        case Subject.RUN:
            path = f"workflows/{_id(data['workflow'])}/runs/{_id(data['run'])}"
    return f"{base}/o/{organization}/{path}"


def _id(thing: Mapping[str, Any]) -> str:
    return quote(thing["id"], safe="")
