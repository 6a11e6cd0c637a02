"""What a tap opens, and by what a banner is grouped and replaced. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from channels_app.event_types import EventType, Subject


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about, by the platform's own ids."""

    row: EventType
    organization_id: int
    event_id: int
    source: str
    """The bot or workflow."""
    subject: str = ""
    """The conversation or run; empty for an event about the bot itself."""
    step: str = ""
    """The index of the run's step, where it is about one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a banner belongs to.

    `thread` groups banners on the lock screen: one per conversation, bot or run. `collapse_key` is
    the banner's own identity: the same one replaces what is shown. Both are 32 characters of
    base64url, which every push service takes as it is (Web Push allows a Topic no more).
    """

    thread: str
    collapse_key: str


def identity(about: About) -> Identity:
    """The identity of an event's banner: the same for every retry and for every replacement.

    A conversation has one banner, a run one for itself and one for each step; changes of a bot
    stand side by side, since each is to be reviewed.
    """
    thread: tuple[str, ...]
    own: tuple[str, ...]
    match about.row.subject:
        case Subject.CONVERSATION:
            thread = own = ("conversation", about.subject)
        case Subject.BOT:
            thread = ("bot", about.source)
            own = ("event", str(about.event_id))
        case Subject.RUN:
            thread = own = ("run", about.source, about.subject)
            if about.step:
                own = ("step", about.source, about.subject, about.step)
        case Subject.MEMBER:
            thread = ("member",)
            own = ("event", str(about.event_id))
    return Identity(
        thread=_digest(about.organization_id, *thread),
        collapse_key=_digest(about.organization_id, *own),
    )


def _digest(organization_id: int, *parts: str) -> str:
    text = "\x00".join((str(organization_id), *parts))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:24]).decode()


def link(about: About, *, base: str, organization: str) -> str:
    """The page that a tap on the banner opens; `organization` is its slug."""
    source, subject = quote(about.source, safe=""), quote(about.subject, safe="")
    match about.row.subject:
        case Subject.CONVERSATION:
            path = f"conversations/{subject}"
        case Subject.BOT:
            path = f"bots/{source}/audit-log"
        case Subject.RUN:
            path = f"workflows/{source}/runs/{subject}"
        case Subject.MEMBER:
            path = "inbox"
    return f"{base}/o/{organization}/{path}"


def ids(about: About) -> dict[str, str]:
    """The ids of what the event is about, as a banner's data carries them."""
    match about.row.subject:
        case Subject.CONVERSATION:
            return {"bot_id": about.source, "conversation_id": about.subject}
        case Subject.BOT:
            return {"bot_id": about.source}
        case Subject.RUN:
            return {"workflow_id": about.source, "run_id": about.subject}
        case Subject.MEMBER:
            return {}


class Screen(StrEnum):
    """What a tap opens."""

    CONVERSATION = "conversation"
    AUDIT_LOG = "audit_log"
    RUN = "run"
    INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link leads: a screen of an organization, and whose, by the platform's own ids."""

    screen: Screen
    organization: str
    """Its slug."""
    source: str = ""
    subject: str = ""


class NoLinkOfOurs(ValueError):
    """No banner carries this link."""


_ID = r"[^/?#]+"
_PATH = re.compile(
    r"/o/(?P<organization>[-\w]{1,64})/(?:"
    rf"conversations/(?P<conversation>{_ID})"
    rf"|bots/(?P<audit_log>{_ID})/audit-log"
    rf"|workflows/(?P<workflow>{_ID})/runs/(?P<run>{_ID})"
    r"|(?P<inbox>inbox))",
    re.ASCII,
)


def parse(link: str, *, base: str) -> Place:
    """Where a link leads that `link` made with the same base. What it names need not exist.

    Raises:
        NoLinkOfOurs
    """
    match = _PATH.fullmatch(link, len(base)) if link.startswith(base) else None
    if match is None:
        raise NoLinkOfOurs(link)
    screen = Screen(match.lastgroup or "")
    source = match["audit_log"] or match["workflow"] or ""
    subject = match["conversation"] or match["run"] or ""
    try:
        return Place(screen, match["organization"], _unquote(source), _unquote(subject))
    except ValueError:
        raise NoLinkOfOurs(link) from None


def _unquote(text: str) -> str:
    """Raises ValueError: no id of the platform's, which are texts without NUL."""
    plain = unquote(text, errors="strict")
    if "\0" in plain:
        raise ValueError("NUL")
    plain.encode()  # Half of a surrogate pair is a ValueError.
    return plain
