"""The story that the demo plays: the reference page's three channels, and what goes wrong in life.

Pure: scenes are made of the examples in `docs/examples/`, whose banners are golden, and say who
must see them. `docs/events.md` describes the events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pushbridge.demo.cast import ACME, GLOBEX, Phone, Tenant

ALL = ("Alice", "Bob", "Carol")
FLOW = ("Alice", "Bob")
"""Who follows the workflows."""


@dataclass(frozen=True, slots=True)
class Banner:
    """What must stand on a lock screen, word for word."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Example:
    """One of `docs/examples/`."""

    event: Mapping[str, Any]
    banner: Banner


@dataclass(frozen=True, slots=True)
class Scene:
    """One event, and what must come of it."""

    says: str
    event: Mapping[str, Any]
    banner: Banner | None = None
    level: str = ""
    told: tuple[str, ...] = ()
    """By name, who must see the banner, on each of their phones and on nobody else's."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """By name, why somebody is not told."""
    tenant: Tenant = ACME
    signed_by: Tenant | None = None
    """Whose secret signs it, if not the tenant's own."""
    status: int = 202
    sent_again: bool = False
    """The same webhook comes a second time, and must be answered 200."""
    late: timedelta = timedelta()
    """How long ago the platform says that it happened."""
    tapped: str = ""
    """The phone on which a button is tapped; `event` is then what Pushbridge makes of that."""

    def phones(self) -> dict[str, str]:
        """By name, the phones that must show the banner, and how loud it must be there."""
        return {
            phone.name: level_on(phone, self.level)
            for person, phone in self.tenant.phones()
            if person.name in self.told and phone.name != self.tapped
        }


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    scenes: tuple[Scene, ...]


def level_on(phone: Phone, level: str) -> str:
    """As loud as the phone allows: without leave, an iPhone is loud where others are critical."""
    if level == "critical" and phone.platform == "apns" and not phone.critical_allowed:
        return "loud"
    return level


def read_examples(folder: Path) -> dict[str, Example]:
    """The examples by their file's number, "01" to "12"."""
    found = {}
    for file in sorted(folder.glob("[0-9][0-9]-*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        found[file.name[:2]] = Example(content["event"], Banner(**content["banner"]))
    return found


def fresh(event: Mapping[str, Any], *, tag: str, happened_at: datetime) -> dict[str, Any]:
    """The event as it would happen now, to a conversation or run that nobody has heard of."""
    copy = deepcopy(dict(event))
    copy["timestamp"] = happened_at.isoformat().replace("+00:00", "Z")
    for subject in ("conversation", "run"):
        if subject in copy["data"]:
            copy["data"][subject]["id"] += f"-{tag}"
    return copy


def story(examples: Mapping[str, Example]) -> tuple[Chapter, ...]:
    """All chapters, in their order."""
    return (
        Chapter("Customer requested human", _escalations(examples)),
        Chapter("Agent auto-update", _auto_updates(examples)),
        Chapter("Workflow status", _workflows(examples)),
        Chapter("First claim wins", _claims(examples)),
        Chapter("Twice, late, forged, unknown, and somebody else's", _troubles(examples)),
    )


def _golden(
    example: Example,
    says: str,
    level: str,
    told: Sequence[str],
    outcomes: Mapping[str, str] | None = None,
) -> Scene:
    return Scene(says, example.event, example.banner, level, tuple(told), outcomes or {})


def _with(event: Mapping[str, Any], **data: Any) -> dict[str, Any]:
    return {**event, "data": {**event["data"], **data}}


def _escalations(examples: Mapping[str, Example]) -> tuple[Scene, ...]:
    unanswered = examples["02"]
    return (
        _golden(examples["01"], "Dana Reyes asks Bot X for a human.", "critical", ALL),
        Scene(
            "Bot X could not answer Ikram twice: its threshold is three.",
            _with(unanswered.event, consecutive_unanswered=2),
            outcomes=dict.fromkeys(ALL, "below_threshold"),
        ),
        _golden(unanswered, "Bot X could not answer Ikram a third time.", "critical", ALL),
        _golden(examples["03"], "Lee is getting angry.", "critical", ALL),
    )


def _claims(examples: Mapping[str, Example]) -> tuple[Scene, ...]:
    """What becomes of the three calls: their banners are replaced, and nothing rings."""
    dana, ikram, lee = (examples[number].event for number in ("01", "02", "03"))
    return (
        Scene(
            "Alice taps Claim on her iPhone. It is off everybody else's phone.",
            _then(dana, "conversation.claimed"),
            Banner("✅ Claimed by Alice", "Customer escalation: Bot X"),
            "quiet",
            ALL,
            tapped="Alice's iPhone",
            status=200,
        ),
        Scene(
            "Bob takes Ikram's on the platform's own dashboard.",
            _then(ikram, "conversation.claimed", "Bob"),
            Banner("✅ Claimed by Bob", "Customer escalation: Bot X"),
            "quiet",
            ALL,
        ),
        Scene(
            "He hands it back to the bot.",
            _then(ikram, "conversation.handed_back", "Bob"),
            Banner("✅ Handed back to the bot by Bob", "Customer escalation: Bot X"),
            "quiet",
            ALL,
        ),
        Scene(
            "Lee's is resolved before anybody has claimed it.",
            _then(lee, "conversation.resolved", "Carol"),
            Banner("✅ Resolved by Carol", "Customer escalation: Bot X"),
            "quiet",
            ALL,
        ),
    )


def _then(event: Mapping[str, Any], type: str, agent: str = "") -> dict[str, Any]:
    """What happens to the conversation of an event, and who did it."""
    data = {name: event["data"][name] for name in ("bot", "conversation")}
    who = {"agent": {"id": f"agent_{agent.lower()}", "name": agent}} if agent else {}
    return {"type": type, "timestamp": event["timestamp"], "data": {**data, **who}}


def _auto_updates(examples: Mapping[str, Example]) -> tuple[Scene, ...]:
    tool = examples["07"]
    return (
        _golden(examples["04"], "Bot X has read a document.", "quiet", ALL),
        _golden(
            examples["05"],
            "Bot X has re-trained itself. Carol has switched that off.",
            "quiet",
            FLOW,
            {"Carol": "type_off"},
        ),
        _golden(examples["06"], "Bot X has changed its own prompt.", "loud", ALL),
        _golden(tool, "Bot X has linked a tool.", "loud", ALL),
        Scene(
            "Alice links one herself: she knows, the others do not.",
            _with(
                tool.event,
                tool={"id": "tool_10", "name": "Parcel tracking"},
                actor={"id": "agent_alice", "name": "Alice"},
            ),
            Banner(tool.banner.title, "New tool linked: Parcel tracking.\nTap to review."),
            "loud",
            ("Bob", "Carol"),
            {"Alice": "actor"},
        ),
    )


def _workflows(examples: Mapping[str, Example]) -> tuple[Scene, ...]:
    return (
        _golden(examples["08"], "Lead enrichment begins.", "quiet", FLOW),
        _golden(
            examples["09"],
            "Its second step is done. Only Bob wants to hear of steps.",
            "quiet",
            ("Bob",),
            {"Alice": "type_off"},
        ),
        _golden(examples["10"], "It is finished.", "quiet", FLOW),
        _golden(examples["11"], "Another run has failed.", "loud", FLOW),
        _golden(examples["12"], "Daily KPI digest is stuck.", "loud", FLOW),
    )


def _troubles(examples: Mapping[str, Example]) -> tuple[Scene, ...]:
    human, started, finished = examples["01"], examples["08"], examples["10"]
    other_run = {"run": {**started.event["data"]["run"], "id": "run_503"}}
    parcel = _with(
        human.event,
        conversation={"id": "conv_1004", "customer": {"id": "cus_80", "name": "Sam"}},
        message="Is anybody there?",
    )
    called = Banner(human.banner.title, '"Is anybody there?"\nTap to claim and respond.')
    return (
        Scene("Sam's call for help comes twice.", parcel, called, "critical", ALL, sent_again=True),
        Scene(
            "A run is finished before we hear that it began …",
            _with(finished.event, **other_run),
            finished.banner,
            "quiet",
            FLOW,
        ),
        Scene(
            "… and hearing that now, nobody wants to know any more.",
            _with(started.event, **other_run),
            outcomes=dict.fromkeys(FLOW, "moot"),
            late=timedelta(minutes=5),
        ),
        Scene(
            "Globex has a bot and a conversation with the same ids. Only Dave hears of it.",
            _with(human.event, bot={"id": "bot_x", "name": "Globex Concierge"}),
            Banner("🆘 Customer escalation: Globex Concierge", human.banner.body),
            "critical",
            ("Dave",),
            tenant=GLOBEX,
        ),
        Scene(
            "Somebody knows Acme's address, but not its secret.",
            human.event,
            signed_by=GLOBEX,
            status=401,
        ),
        Scene(
            "The platform tells of something that Pushbridge has never heard of.",
            {"type": "invoice.paid", "data": {"invoice": {"id": "inv_7"}}},
        ),
    )
