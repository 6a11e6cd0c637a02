"""An answer of `why`, as the templates of the admin want it."""

from __future__ import annotations

from typing import Any

from channels_app.admin import cells, words
from channels_app.admin.words import Tone, Word
from channels_app.models import Delivery, Event, Installation, Notification
from channels_app.why import Answer
from channels_app.why.answers import Answered, AttemptReport, DeviceReport

RUNGS = {
    Answered.PASSED: Word("No", Tone.CALM),
    Answered.DECIDED: Word("Yes", Tone.BUSY),
    Answered.NOT_ASKED: Word("Not asked", Tone.CALM),
}


def shown(answer: Answer) -> dict[str, Any]:
    """The context of `admin/chatbot/why_answer.html`."""
    return {
        "imagined": answer.imagined,
        "sentence": answer.sentence,
        "outcome": words.word({**words.OUTCOMES, **words.NO_OUTCOMES}, answer.outcome),
        "level": words.word(words.LEVELS, answer.level) if answer.level else None,
        "place": answer.place,
        "asked": any(rung.answered is not Answered.NOT_ASKED for rung in answer.ladder),
        "ladder": [
            {"question": rung.question, "word": RUNGS[rung.answered], "state": rung.answered}
            for rung in answer.ladder
        ],
        "levels": [
            {
                "words": word.words,
                "level": words.word(words.LEVELS, word.level) if word.level else None,
                "decides": word.decides,
            }
            for word in answer.levels
        ],
        "devices": [_device(device) for device in answer.devices],
        "data": cells.json_block(answer.data) if answer.imagined else "",
        "now": answer.now,
        "notification": cells.page(Notification(pk=answer.notification_id))
        if answer.notification_id
        else "",
        "digest": cells.page(Event(pk=answer.holding.digest_id))
        if answer.holding and answer.holding.digest_id
        else "",
    }


def _device(device: DeviceReport) -> dict[str, Any]:
    known = {**words.DELIVERY_STATES, **words.IMAGINED}
    return {
        "name": device.name,
        "page": cells.page(Installation(pk=device.installation_id))
        if device.installation_id
        else "",
        "delivery": cells.page(Delivery(pk=device.delivery_id)) if device.delivery_id else "",
        "word": words.word(known, device.state),
        "reason": device.reason,
        "took": device.milliseconds,
        "downgraded": device.downgraded,
        "attempts": [_attempt(attempt) for attempt in device.attempts],
        "receipts": [
            {
                "kind": receipt.kind,
                "action": receipt.action,
                "at": cells.instant(receipt.occurred_at),
            }
            for receipt in device.receipts
        ],
    }


def _attempt(attempt: AttemptReport) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "word": words.word(words.VERDICTS, attempt.verdict),
        "status": attempt.status,
        "reason": attempt.reason,
        "sent": cells.instant(attempt.sent_at),
        "took": cells.took(attempt.answered_at - attempt.sent_at),
    }
