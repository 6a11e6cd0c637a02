"""An answer of `why` as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from channels_app.why import Answer
from channels_app.why.answers import Answered, DeviceReport

MARKS = {Answered.PASSED: "no", Answered.DECIDED: "YES", Answered.NOT_ASKED: "·"}


def report(answer: Answer) -> str:
    """The sentence first, then what it rests on."""
    lines = [answer.sentence, *_setting(answer), *_ladder(answer), *_levels(answer)]
    lines += [*_devices(answer), *_now(answer)]
    return "".join(f"{line}\n" for line in lines)


def _setting(answer: Answer) -> Iterator[str]:
    place = answer.place
    if place is None:
        return
    yield ""
    yield f"Decided by  {place.setting}: {place.words}"
    yield f"            {place.advice}"
    if place.admin:
        yield f"            admin  {settings.PUBLIC_URL.rstrip('/')}{place.admin}"
    if place.api:
        yield f"            API    {place.api}"


def _ladder(answer: Answer) -> Iterator[str]:
    if all(rung.answered is Answered.NOT_ASKED for rung in answer.ladder):
        return
    yield ""
    for number, rung in enumerate(answer.ladder):
        title = "Asked" if number == 0 else ""
        yield f"{title:<12}{MARKS[rung.answered]:<5}{rung.question}"


def _levels(answer: Answer) -> Iterator[str]:
    if not answer.levels:
        return
    yield ""
    for number, word in enumerate(answer.levels):
        title = "Level now" if number == 0 else ""
        mark = " ← decides" if word.decides else ""
        yield f"{title:<12}{word.level or '·':<10}{word.words}{mark}"


def _devices(answer: Answer) -> Iterator[str]:
    if not answer.devices:
        return
    yield ""
    for number, device in enumerate(answer.devices):
        title = "Devices" if number == 0 else ""
        yield f"{title:<12}{device.sentence}"
        for line in _details(device):
            yield f"{'':<14}{line}"


def _details(device: DeviceReport) -> Iterator[str]:
    if device.downgraded:
        yield "not as critical: the app or the device does not allow it"
    for attempt in device.attempts:
        milliseconds = round((attempt.answered_at - attempt.sent_at) / timedelta(milliseconds=1))
        answered = " ".join(str(part) for part in (attempt.status, attempt.reason) if part)
        yield (
            f"try {attempt.number}  {_clock(attempt.sent_at)}  {attempt.verdict}"
            f"{f' ({answered})' if answered else ''}, {milliseconds} ms"
        )
    for receipt in device.receipts:
        yield f"{receipt.kind} {receipt.action}".rstrip() + f"  {_clock(receipt.occurred_at)}"


def _now(answer: Answer) -> Iterator[str]:
    if answer.now is None:
        return
    yield ""
    yield f"Now         {answer.now.sentence}"


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
