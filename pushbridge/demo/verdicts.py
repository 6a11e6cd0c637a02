"""Compares what came of a scene with what had to come of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushbridge.demo.cast import TENANTS
from pushbridge.demo.sandbox import Arrival
from pushbridge.demo.story import Scene


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Pushbridge recorded for a person: an outcome of routing, and whose word it was."""

    name: str
    decided_by: str = ""


@dataclass(slots=True)
class Played:
    """A scene, and all that came of it."""

    scene: Scene
    statuses: list[int] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    sent_at: float = 0.0
    arrivals: list[Arrival] = field(default_factory=list)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """By name, for everyone whom Pushbridge considered."""
    deliveries: Mapping[str, str] = field(default_factory=dict)
    """By phone, how far its delivery has come."""

    @property
    def event_id(self) -> str:
        """The event's id; empty if the door refused it."""
        return self.event_ids[0] if self.event_ids else ""

    @property
    def complete(self) -> bool:
        """Whether every phone that must show it does."""
        return self.scene.phones().keys() <= {arrival.phone for arrival in self.arrivals}

    def milliseconds(self, arrival: Arrival) -> float:
        """From the moment the webhook was posted until the gateway had the banner."""
        return (arrival.received_at - self.sent_at) * 1000


def faults_of_arrival(scene: Scene, arrival: Arrival) -> list[str]:
    """What is wrong with a banner on a phone, in plain words."""
    where = arrival.phone
    level = scene.phones().get(arrival.phone)
    if level is None or scene.banner is None:
        return [f"{where}: unexpected banner “{arrival.title}”"]
    faults = [f"{where}: {warning}" for warning in arrival.warnings]
    if arrival.title != scene.banner.title:
        faults.append(f"{where}: the title is “{arrival.title}”, not “{scene.banner.title}”")
    if arrival.body != scene.banner.body:
        faults.append(f"{where}: the text is “{arrival.body}”, not “{scene.banner.body}”")
    if arrival.level != level:
        faults.append(f"{where}: it is {arrival.level}, not {level}")
    return faults


def faults(played: Played) -> list[str]:
    """Everything that is missing, wrong or too much, in plain words; empty if all is well."""
    scene = played.scene
    found = _faults_of_answers(played)
    for arrival in played.arrivals:
        found += faults_of_arrival(scene, arrival)
    seen = [arrival.phone for arrival in played.arrivals]
    found += [
        f"{phone}: no banner came ({played.deliveries.get(phone, 'there is no delivery')})"
        for phone in scene.phones()
        if phone not in seen
    ]
    found += [
        f"{phone}: the banner came {count} times"
        for phone, count in Counter(seen).items()
        if count > 1
    ]
    for name, expected in scene.outcomes.items():
        recorded = played.outcomes.get(name)
        name_of_it = recorded.name if recorded else "nothing"
        if name_of_it != expected:
            found.append(f"{name}: recorded as {name_of_it}, not {expected}")
    for tenant in TENANTS:
        if tenant is not scene.tenant:
            strangers = {person.name for person in tenant.people} & played.outcomes.keys()
            found += [f"{name} of {tenant.name} was considered" for name in sorted(strangers)]
    return found


def _faults_of_answers(played: Played) -> list[str]:
    expected = [played.scene.status, 200] if played.scene.sent_again else [played.scene.status]
    if played.statuses != expected:
        return [f"the door answered {played.statuses}, not {expected}"]
    if len(set(played.event_ids)) > 1:
        return [f"one webhook became {len(set(played.event_ids))} events"]
    return []


def timings(scenes: Sequence[Played]) -> list[float]:
    """Milliseconds from webhook to gateway of every banner, sorted."""
    return sorted(p.milliseconds(arrival) for p in scenes for arrival in p.arrivals)
