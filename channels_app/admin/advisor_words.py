"""The advisor's report in words, as its page wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from channels_app.admin import cells, words
from channels_app.admin.policies import type_field
from channels_app.admin.words import Tone, Word
from channels_app.advisor import (
    ADVISABLE,
    Advice,
    Judgement,
    Knob,
    Line,
    Option,
    Report,
    Silence,
    Tally,
)
from channels_app.event_types import EVENT_TYPES
from channels_app.levels import Level
from channels_app.models import Organization, Source
from channels_app.type_names import type_name

OWN_NAMES: Mapping[str, str] = {
    "member.digest": "Digests of what was held",
    "conversation.still_waiting": "Customer still waits",
    "conversation.unanswered_alarm": "Alarm: nobody answers a customer",
    "bot.unreachable": "Alarm: nobody can answer a bot's customers",
    "connection.webhook_disabled": "Alarm: the platform takes no webhooks",
}

JUDGEMENTS: Mapping[str, Word] = {
    Judgement.RARELY: Word("Rarely opened", Tone.WARN, "Surely less than one in twenty."),
    Judgement.OFTEN: Word("Opened", Tone.GOOD, "Surely more than one in twenty."),
    Judgement.UNSURE: Word("Too little to tell", Tone.CALM, "More has to go out to judge it."),
}

# Escalations, and our own word: that it is rarely opened makes nothing less important.
NOT_JUDGED = Word("Not judged", Tone.CALM, "A customer who waits, and our own word, are no noise.")

SILENCES: Mapping[Silence, tuple[str, str]] = {
    Silence.NOTHING_SENT: (
        "Nothing went out",
        "No banner reached a device in these seven days, so there is nothing to judge.",
    ),
    Silence.NO_RECEIPTS: (
        "Nobody knows what was opened",
        "Banners went out, but no app has said what became of any of them: without receipts there"
        " is no telling noise from news. Apps report them to the API (“Send receipts”).",
    ),
    Silence.TOO_LITTLE: (
        "Too little to judge",
        "No kind of banner went out often enough to say whether it is wanted: about 73 that nobody"
        " opens are needed to be sure of anything.",
    ),
    Silence.WORTH_IT: (
        "No level to change",
        "What could be judged is opened, or is as quiet already as it should be.",
    ),
}

# What to do with an option, and who does it.
ACTIONS: Mapping[str, str] = {
    Level.OFF: "Off",
    Level.QUIET: "Quiet",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to take an advice. `apply`: the level that one button sets, for a policy."""

    label: str
    saves: str
    apply: str = ""


def name(type: str) -> str:
    return OWN_NAMES.get(type) or type_name(type)


def cards(report: Report, organization: Organization) -> list[dict[str, Any]]:
    """The context of each card. What is said of one type for several sources is said once."""
    alike: dict[tuple[Knob, str, int | None], list[Advice]] = {}
    for given in report.advice:
        several = given.knob is Knob.SOURCE_LEVEL
        key = (given.knob, given.type, None if several else given.source_id)
        alike.setdefault(key, []).append(given)
    return [
        _card(group[0], report, organization) if len(group) == 1 else _merged(group, report)
        for group in alike.values()
    ]


def _card(given: Advice, report: Report, organization: Organization) -> dict[str, Any]:
    source = report.sources.get(given.source_id or 0)
    return {
        "title": _title(given, source),
        "evidence": _evidence(given),
        "choices": [_choice(given, option) for option in given.options],
        "note": _note(given),
        "address": _address(given, source, organization),
        "place": PLACES[given.knob],
        "type": given.type,
    }


def _merged(group: list[Advice], report: Report) -> dict[str, Any]:
    """Of one type from several sources; what to do is the same for each."""
    first = group[0]
    return {
        "title": f"“{name(first.type)}” of these is rarely opened",
        "evidence": _all_of(group),
        "choices": [
            replace(
                _choice(given, given.options[0]),
                label=cells.spaced(
                    cells.link(report.sources.get(given.source_id or 0)),
                    ACTIONS[given.options[0].value].lower(),
                ),
            )
            for given in group
        ],
        "note": _note(first),
        "type": first.type,
    }


def line(row: Line, report: Report, *, most: int) -> dict[str, Any]:
    """The context of one row of the table; `most` banners are a bar of full length."""
    tally, source = row.tally, report.sources.get(row.source_id or 0)
    return {
        "name": name(row.type),
        "type": row.type,
        "source": cells.link(source) if source else "",
        "row": row,
        "judgement": _judgement(row) if tally.known else None,
        "width": percent(tally.banners, most),
        "rings": percent(tally.rings, tally.banners),
        "opened": share(tally.opened, tally.known),
        "read": share(tally.read, tally.known),
        "levels": [(words.LEVELS[level], count) for level, count in row.levels.items()],
    }


def _judgement(row: Line) -> Word:
    if EVENT_TYPES[row.type].channel not in ADVISABLE:
        return NOT_JUDGED
    return JUDGEMENTS[row.tally.judgement]


def percent(part: int, whole: int) -> float:
    """For a style: the length of a bar that is not nothing can be seen."""
    return max(0.5, round(100 * part / whole, 1)) if part and whole else 0


def share(part: int, whole: int) -> str:
    """Such as 0.4 %, 12 %."""
    if not whole:
        return cells.NOTHING
    value = 100 * part / whole
    return f"{value:.1f} %" if 0 < value < 10 else f"{value:.0f} %"


def _all_of(group: list[Advice]) -> str:
    """Such as: 1,240 banners in all, 0.4 % opened."""
    banners = sum(given.tally.banners for given in group)
    told = sum(given.tally.known for given in group)
    opened = sum(given.tally.opened for given in group)
    return f"{banners:,} banners in all, {share(opened, told)} opened."


def _title(given: Advice, source: Source | None) -> str:
    match given.knob:
        case Knob.TYPE_POLICY:
            return f"“{name(given.type)}” is rarely opened"
        case Knob.SOURCE_LEVEL:
            return f"“{name(given.type)}” of {source} is rarely opened"
        case Knob.SUBSCRIPTION:
            return f"Nearly nothing of {source} is opened"
        case Knob.UNANSWERED_THRESHOLD | Knob.TONE_MINIMUM:
            return f"{source} calls for a human early (“{name(given.type)}”)"
        case Knob.STUCK_FACTOR:
            return f"{source} is called stuck too early"


def _evidence(given: Advice) -> str:
    match given.knob:
        case Knob.UNANSWERED_THRESHOLD | Knob.TONE_MINIMUM:
            return (
                f"{given.count:,} calls. The {given.needless:,} mildest of them all ended well"
                " without anybody taking or even opening one."
            )
        case Knob.STUCK_FACTOR:
            return (
                f"{given.count:,} alarms. In {given.needless:,} of them the step was completed"
                " shortly after all by itself."
            )
    return _sent(given.tally)


def _sent(tally: Tally) -> str:
    """Such as: 1,240 banners to 14 people, 0.4 % opened."""
    people = "1 person" if tally.people == 1 else f"{tally.people:,} people"
    opened = f"{share(tally.opened, tally.known)} opened"
    return f"{tally.banners:,} banners to {people}, {opened}."


def _choice(given: Advice, option: Option) -> Choice:
    saves = []
    if option.banners:
        saves.append(f"−{option.banners:,} banners")
    if option.rings:
        saves.append(f"−{option.rings:,} sounds")
    return Choice(
        label=_label(given, option),
        saves=", ".join(saves) or f"−{given.needless:,} events",
        apply=option.value if given.knob is Knob.TYPE_POLICY else "",
    )


def _label(given: Advice, option: Option) -> str:
    match given.knob:
        case Knob.TYPE_POLICY:
            return f"{ACTIONS[option.value]} for everyone"
        case Knob.SOURCE_LEVEL | Knob.SUBSCRIPTION:
            return f"{ACTIONS[option.value]}, by each who follows it"
        case Knob.UNANSWERED_THRESHOLD:
            return f"Call from {option.value} unanswered in a row on"
        case Knob.TONE_MINIMUM:
            return f"Call from a score of {option.value} on"
        case Knob.STUCK_FACTOR:
            return f"Wait {option.value} times as long as now"


def _note(given: Advice) -> str:
    match given.knob:
        case Knob.TYPE_POLICY if given.own_banners:
            return (
                f"Another {given.own_banners:,} banners went to people who have set a level of"
                " their own for this type; what you set for everyone leaves those as they are."
            )
        case Knob.SOURCE_LEVEL:
            return (
                "It is no setting for everyone: elsewhere it is opened, or people have set a level"
                " of their own. Members set it in the app; you can on each member's page."
            )
        case Knob.SUBSCRIPTION:
            return (
                "Failures and stuck steps of it would still be shown, without a sound. Members set"
                " it in the app; you can on each member's page."
            )
        case Knob.UNANSWERED_THRESHOLD | Knob.TONE_MINIMUM:
            return (
                "Advised only because not one of these customers needed anybody. A customer who"
                " does will be heard a little later."
            )
        case Knob.STUCK_FACTOR:
            return "A step that really hangs would be found as much later."
    return ""


PLACES: Mapping[Knob, str] = {
    Knob.TYPE_POLICY: "The organization's levels",
    Knob.SOURCE_LEVEL: "Who follows it",
    Knob.SUBSCRIPTION: "Who follows it",
    Knob.UNANSWERED_THRESHOLD: "The bot's thresholds",
    Knob.TONE_MINIMUM: "The bot's thresholds",
    Knob.STUCK_FACTOR: "The workflow's patience",
}
# The part of a source's page that it is set in.
PARTS: Mapping[Knob, str] = {
    Knob.SOURCE_LEVEL: "subscriptions-group",
    Knob.SUBSCRIPTION: "subscriptions-group",
    Knob.UNANSWERED_THRESHOLD: "id_unanswered_threshold",
    Knob.TONE_MINIMUM: "id_tone_minimum",
    Knob.STUCK_FACTOR: "id_stuck_factor",
}


def _address(given: Advice, source: Source | None, organization: Organization) -> str:
    """Where it is set."""
    if given.knob is Knob.TYPE_POLICY:
        page = reverse("admin:chatbot_organization_change", args=[organization.pk])
        return f"{page}#id_{type_field(given.type)}"
    return f"{cells.page(source)}#{PARTS[given.knob]}" if source else ""
