"""The advisor's report on an organization: what its last week's banners were worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from channels_app import policies
from channels_app.advisor import alarms, counting, loudness, thresholds
from channels_app.advisor.advice import Advice
from channels_app.advisor.counting import Window
from channels_app.advisor.shares import Judgement
from channels_app.advisor.tallies import Line, Sent, Tally, levels_of
from channels_app.advisor.thresholds import Missed
from channels_app.models import Bot, Source
from channels_app.routing import Thresholds

WINDOW = timedelta(days=7)
# A page is read by people: beyond this many rows it is the noisiest that count.
MOST_LINES = 200
MOST_ADVICE = 20


class Silence(StrEnum):
    """Why there is no advice about levels."""

    NOTHING_SENT = "nothing_sent"
    NO_RECEIPTS = "no_receipts"
    """No app has said what became of any banner: nobody knows what was opened."""
    TOO_LITTLE = "too_little"
    """Too little of any kind went out to judge it."""
    WORTH_IT = "worth_it"
    """What could be judged is opened, or is as quiet as it should be."""


@dataclass(frozen=True, slots=True)
class Report:
    """What went out since a moment (the start of an hour, seven days ago), and what to make of it.

    Attributes:
        lines: by type and source, the noisiest first, `MOST_LINES` of them.
        more_lines: how many are left out.
        advice: what would have saved most first, `MOST_ADVICE` of it.
        more_advice: how much is left out.
        missed: customers whom nobody came to, by bot.
        silence: why there is no advice about levels; None: there is.
        sources: those that any of it names.
    """

    since: datetime
    total: Tally
    lines: tuple[Line, ...]
    more_lines: int
    advice: tuple[Advice, ...]
    more_advice: int
    missed: tuple[Missed, ...]
    silence: Silence | None
    sources: Mapping[int, Source] = field(default_factory=dict)


def report(*, organization_id: int, now: datetime) -> Report:
    """The report on the last seven days; eight statements, however much there was."""
    # From a full hour on, so that it stays the same while nothing happens.
    since = (now - WINDOW).replace(minute=0, second=0, microsecond=0)
    window = Window(organization_id, since)
    sent, calls = counting.sent(window), counting.calls(window)
    levels = loudness.advise(sent, policy=policies.of(organization_id))
    advice = sorted(
        [
            *levels,
            *thresholds.advise(calls, thresholds=_thresholds(organization_id)),
            *alarms.advise(counting.alarms(window)),
        ],
        key=lambda one: -one.saved,
    )
    lines = _lines(sent, counting.events(window))
    found = Report(
        since=since,
        total=sent.total,
        lines=tuple(lines[:MOST_LINES]),
        more_lines=max(0, len(lines) - MOST_LINES),
        advice=tuple(advice[:MOST_ADVICE]),
        more_advice=max(0, len(advice) - MOST_ADVICE),
        missed=tuple(thresholds.missed(calls, now=now)),
        silence=None if levels else _silence(sent),
    )
    return replace(found, sources=Source.objects.in_bulk(_named(found)))


def _named(found: Report) -> set[int]:
    ids = [
        *(line.source_id for line in found.lines),
        *(advice.source_id for advice in found.advice),
        *(missed.source_id for missed in found.missed),
    ]
    return {source_id for source_id in ids if source_id is not None}


def _thresholds(organization_id: int) -> dict[int, Thresholds]:
    rows = Bot.objects.filter(organization=organization_id)
    return {
        pk: Thresholds(unanswered=unanswered, tone=tone)
        for pk, unanswered, tone in rows.values_list("pk", "unanswered_threshold", "tone_minimum")
    }


def _lines(sent: Sent, events: Mapping[tuple[str, int | None], int]) -> list[Line]:
    """The noisiest first; then what was told to nobody, the most frequent first."""
    levels = levels_of(sent.groups)
    lines = [
        Line(
            type=type,
            source_id=source_id,
            events=events.get((type, source_id), 0),
            tally=sent.of_both.get((type, source_id), Tally()),
            levels=levels.get((type, source_id), {}),
        )
        for type, source_id in {**sent.of_both, **events}
    ]
    return sorted(lines, key=lambda line: (-line.tally.banners, -line.events, line.type))


def _silence(sent: Sent) -> Silence:
    if not sent.total.told:
        return Silence.NOTHING_SENT
    if not sent.total.known:
        return Silence.NO_RECEIPTS
    kinds = [tally for tallies in (sent.of_type, sent.of_both) for tally in tallies.values()]
    if all(tally.judgement is Judgement.UNSURE for tally in kinds):
        return Silence.TOO_LITTLE
    return Silence.WORTH_IT
