"""Advice about escalations: which of them nobody needed, and which nobody came to. Pure.

A customer who waits in vain costs more than any number of banners. A threshold is advised only if
nobody so much as looked at any of the calls that it would have kept back, and each ended well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels_app.advisor.advice import Advice, Knob, Option
from channels_app.advisor.tallies import Call
from channels_app.routing import Thresholds

# So many calls must all have been needless: of a kind of which one in seven is needed, twenty in a
# row without one come about once in twenty times.
ENOUGH = 20
# A call that is younger may still be answered.
PATIENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bot's threshold: what keeps back all that is below it."""

    knob: Knob
    step: float
    most: int
    """How many steps may be advised at once."""
    highest: float

    def steps(self, now: float) -> list[float]:
        """The higher ones, the highest first."""
        bars = [round(now + self.step * count, 2) for count in range(self.most, 0, -1)]
        return [bar for bar in bars if bar <= self.highest]


BARS: Mapping[str, _Bar] = {
    "conversation.unanswered": _Bar(Knob.UNANSWERED_THRESHOLD, step=1, most=1, highest=10),
    "conversation.tone_escalated": _Bar(Knob.TONE_MINIMUM, step=0.05, most=3, highest=0.95),
}


@dataclass(frozen=True, slots=True)
class Missed:
    """Calls of a bot's customers, and how many of them nobody came to."""

    source_id: int
    calls: int
    missed: int


def advise(calls: Iterable[Call], *, thresholds: Mapping[int, Thresholds]) -> Iterator[Advice]:
    """What could be raised, by bot; `thresholds` are those that are set."""
    for (source_id, type), of_bot in _by_bot_and_type(calls).items():
        bar, current = BARS.get(type), thresholds.get(source_id)
        if bar is None or current is None:
            continue
        now = current.unanswered if bar.knob is Knob.UNANSWERED_THRESHOLD else current.tone
        for value in bar.steps(now):
            kept_back = [
                one for one in of_bot if one.value is not None and now <= one.value < value
            ]
            if len(kept_back) >= ENOUGH and all(call.needless for call in kept_back):
                yield _advice(bar, value, source_id, type, kept_back, of_bot)
                break


def missed(calls: Iterable[Call], *, now: datetime) -> list[Missed]:
    """The bots whose customers waited in vain, the worst first: that is no noise."""
    by_bot: dict[int, list[Call]] = {}
    for call in calls:
        if call.at < now - PATIENCE:
            by_bot.setdefault(call.source_id, []).append(call)
    found = [
        Missed(source_id, len(of_bot), sum(_is_missed(call) for call in of_bot))
        for source_id, of_bot in by_bot.items()
    ]
    return sorted((one for one in found if one.missed), key=lambda one: -one.missed)


def _is_missed(call: Call) -> bool:
    return not (call.claimed or call.settled or call.opened)


def _by_bot_and_type(calls: Iterable[Call]) -> Mapping[tuple[int, str], list[Call]]:
    found: dict[tuple[int, str], list[Call]] = {}
    for call in calls:
        found.setdefault((call.source_id, call.type), []).append(call)
    return found


def _advice(
    bar: _Bar,
    value: float,
    source_id: int,
    type: str,
    kept_back: Sequence[Call],
    calls: Sequence[Call],
) -> Advice:
    banners = sum(call.banners for call in kept_back)
    return Advice(
        knob=bar.knob,
        type=type,
        source_id=source_id,
        options=(Option(value=f"{value:g}", banners=banners, rings=banners),),
        count=len(calls),
        needless=len(kept_back),
    )
