"""Who plays in the demo: two organizations, their people, phones, bots and workflows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phone:
    """A device on the sandbox's wall; `platform` is apns, fcm or webpush."""

    name: str
    platform: str
    critical_allowed: bool = False

    @property
    def application_id(self) -> str:
        """The sandbox's application of this platform."""
        return {"apns": "ios-sandbox", "fcm": "android-sandbox", "webpush": "web-sandbox"}[
            self.platform
        ]


@dataclass(frozen=True, slots=True)
class Source:
    """A bot or workflow, by the platform's own id."""

    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A member. `levels` are their own settings, by event type."""

    username: str
    name: str
    phones: tuple[Phone, ...] = ()
    follows: tuple[str, ...] = ()
    responds: bool = True
    levels: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def external_id(self) -> str:
        """The platform's id of this person."""
        return f"agent_{self.username}"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization; its one connection is named `connection`."""

    slug: str
    name: str
    people: tuple[Person, ...]
    bots: tuple[Source, ...] = ()
    workflows: tuple[Source, ...] = ()
    role: str = "Agents"
    connection: str = "Chatbot platform"

    def phones(self) -> Iterator[tuple[Person, Phone]]:
        """Every phone with its owner."""
        for person in self.people:
            for phone in person.phones:
                yield person, phone


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can sign in to the admin."""

    username: str
    may: str


ADMIN = Login("admin", "everything, in every organization")
OLIVIA = Login("olivia", "operator of Acme: sees Acme and nothing else")

ACME = Tenant(
    slug="acme",
    name="Acme",
    bots=(Source("bot_x", "Bot X"),),
    workflows=(Source("wf_lead", "Lead enrichment"), Source("wf_kpi", "Daily KPI digest")),
    people=(
        Person(
            "alice",
            "Alice",
            phones=(
                Phone("Alice's iPhone", "apns", critical_allowed=True),
                Phone("Alice's MacBook", "webpush"),
            ),
            follows=("bot_x", "wf_lead", "wf_kpi"),
        ),
        Person(
            "bob",
            "Bob",
            phones=(Phone("Bob's Pixel", "fcm"),),
            follows=("bot_x", "wf_lead", "wf_kpi"),
            levels={"workflow.step_completed": "quiet"},
        ),
        Person(
            "carol",
            "Carol",
            phones=(Phone("Carol's iPhone", "apns"), Phone("Carol's Galaxy", "fcm")),
            follows=("bot_x",),
            levels={"bot.retrained": "off"},
        ),
        Person(OLIVIA.username, "Olivia", responds=False),
    ),
)

# Its bot bears the same id on its own platform: ids mean nothing across organizations.
GLOBEX = Tenant(
    slug="globex",
    name="Globex",
    bots=(Source("bot_x", "Globex Concierge"),),
    people=(Person("dave", "Dave", phones=(Phone("Dave's Pixel", "fcm"),), follows=("bot_x",)),),
)

TENANTS = (ACME, GLOBEX)
LOGINS = (ADMIN, OLIVIA)
