"""The one sentence that answers: who, when, whether, why, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext, pgettext

from channels_app.levels import Level
from channels_app.routing import Outcome, Setting
from channels_app.why.answers import DeviceReport, Holding, Imagined, NoOutcome
from channels_app.why.reasons import Facts, named, reason

# Where it would not go, although there is a device.
PASSED_OVER = frozenset(Imagined) - {Imagined.WOULD_PUSH}
# A sentence names this many devices at most, and counts the others.
DEVICES_NAMED = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What a sentence is to say."""

    person: str
    oneself: bool
    """The reader is the person."""
    imagined: bool
    event_id: int | None
    outcome: Outcome | NoOutcome
    level: Level | None
    at: datetime
    facts: Facts
    devices: Sequence[DeviceReport] = ()
    holding: Holding | None = None
    held_as: Outcome | None = None
    """Of what was held and is not any more: why it was."""


def sentence(told: Told) -> str:
    """The whole answer in one sentence, in the active language."""
    return pgettext("sentence", "%s.") % pgettext("clauses", "; ").join(_clauses(told))


def _clauses(told: Told) -> list[str]:
    released = told.holding is not None and told.holding.released_at is not None
    match told.outcome:
        case NoOutcome.NOT_A_CANDIDATE:
            return [_not_told(told, told.outcome)]
        case NoOutcome():
            return [_nothing_decided(told, told.outcome)]
        case _ if released:
            return [_kept(told), *_afterwards(told), *_on_devices(told)]
        case Outcome.PUSHED:
            return [_told(told), *_on_devices(told)]
        case _:
            return [_not_told(told, told.outcome), *_afterwards(told)]


def _told(told: Told) -> str:
    match told.imagined, told.oneself:
        case False, False:
            text = gettext("%(person)s was told %(when)s, at the level %(level)s (%(whose)s)")
        case False, True:
            text = gettext("You were told %(when)s, at the level %(level)s (%(whose)s)")
        case True, False:
            text = gettext("%(person)s would be told %(when)s, at the level %(level)s (%(whose)s)")
        case _:
            text = gettext("You would be told %(when)s, at the level %(level)s (%(whose)s)")
    return text % {
        "person": named(told.person),
        "when": _when(told),
        "level": level_name(told.level or Level.OFF),
        "whose": whose(told.facts.decided_by, told.facts),
    }


def _not_told(told: Told, outcome: str) -> str:
    match told.imagined, told.oneself:
        case False, False:
            text = gettext("%(person)s was not told %(when)s because %(reason)s")
        case False, True:
            text = gettext("You were not told %(when)s because %(reason)s")
        case True, False:
            text = gettext("%(person)s would not be told %(when)s because %(reason)s")
        case _:
            text = gettext("You would not be told %(when)s because %(reason)s")
    return text % {
        "person": named(told.person),
        "when": _when(told),
        "reason": reason(outcome, told.facts),
    }


def _kept(told: Told) -> str:
    """How the answer about something begins that was kept for later."""
    if told.held_as is not None:
        return _not_told(told, told.held_as)
    assert told.holding is not None
    text = (
        gettext("You were not told %(when)s, but it was kept until %(until)s")
        if told.oneself
        else gettext("%(person)s was not told %(when)s, but it was kept until %(until)s")
    )
    return text % {
        "person": named(told.person),
        "when": _when(told),
        "until": told.facts.moment(told.holding.until),
    }


def _afterwards(told: Told) -> list[str]:
    held = told.holding
    if held is None:
        return []
    if held.released_at is None:
        if told.imagined:
            return [gettext("it would be kept, and judged again then")]
        return [gettext("it is kept, and judged again then")]
    when = told.facts.when(held.released_at)
    if held.digest_id is None:
        text = gettext("judged again %(when)s, it was not told because %(reason)s")
        return [text % {"when": when, "reason": reason(told.outcome, told.facts)}]
    if held.count <= 1:
        return [gettext("it went out %(when)s") % {"when": when}]
    text = ngettext(
        "it went out %(when)s in a digest of %(count)s",
        "it went out %(when)s in a digest of %(count)s",
        held.count,
    )
    return [text % {"when": when, "count": held.count}]


def _on_devices(told: Told) -> list[str]:
    """Nothing of a device that was passed over: that is in the list beside the sentence."""
    reached = [report for report in told.devices if report.state not in PASSED_OVER]
    if not reached:
        return []
    words = [report.sentence for report in reached[:DEVICES_NAMED]]
    if more := len(reached) - len(words):
        words.append(ngettext("%(more)s more", "%(more)s more", more) % {"more": more})
    text = ngettext("%(count)s device: %(list)s", "%(count)s devices: %(list)s", len(reached))
    return [text % {"count": len(reached), "list": pgettext("list", ", ").join(words)}]


def _nothing_decided(told: Told, outcome: NoOutcome) -> str:
    match outcome:
        case NoOutcome.OTHER_ORGANIZATION:
            text = gettext(
                "Event %(event)s is none of %(person)s's: it belongs to %(organization)s, of which"
                " %(person)s is no member"
            )
        case NoOutcome.NOT_ROUTED:
            text = gettext("Nobody has been told of event %(event)s yet: it waits to be routed")
        case NoOutcome.QUARANTINED:
            text = gettext(
                "Nobody was told of event %(event)s: routing it failed three times, and it waits"
                " for an operator"
            )
        case NoOutcome.TELLS_NOBODY:
            text = gettext("Nobody is told of %(type)s: it only changes a state")
        case _:
            text = gettext("Nobody is told of %(type)s: Pushbridge does not know this type")
    return text % {
        "event": told.event_id,
        "person": named(told.person),
        "organization": named(told.facts.organization),
        "type": named(told.facts.type),
    }


def _when(told: Told) -> str:
    """When, by the person's clock, and whose clock that is."""
    return pgettext("moment", "%(at)s (%(zone)s)") % {
        "at": told.facts.when(told.at),
        "zone": named(told.facts.zone.key or "UTC"),
    }


def level_name(level: str) -> str:
    """A level in the middle of a sentence."""
    names = {
        Level.OFF.value: pgettext("level", "off"),
        Level.QUIET.value: pgettext("level", "quiet"),
        Level.LOUD.value: pgettext("level", "loud"),
        Level.CRITICAL.value: pgettext("level", "critical"),
    }
    return names[level]


def whose(setting: str, facts: Facts) -> str:
    """Whose word the level is."""
    match setting:
        case Setting.TYPE_POLICY:
            text = gettext("the setting of %(organization)s for this type")
        case Setting.TYPE_LEVEL:
            text = gettext("the personal setting for this type")
        case Setting.SOURCE_LEVEL:
            text = gettext("the personal setting for this type of %(source)s")
        case Setting.SUBSCRIPTION:
            text = gettext("the personal setting for all of %(source)s")
        case _:
            text = gettext("the default of this type")
    return text % {"source": named(facts.source), "organization": named(facts.organization)}
