"""The ladder of questions as it was climbed: what was asked, and which question decided."""

from __future__ import annotations

from django.utils.translation import gettext

from channels_app.levels import Level
from channels_app.routing import Candidate, Occasion, Outcome, Setting, resolve_level
from channels_app.why.answers import Answered, LevelWord, NoOutcome, Rung
from channels_app.why.reasons import Facts
from channels_app.why.sentences import whose


def ladder(outcome: Outcome | NoOutcome) -> tuple[Rung, ...]:
    """Every question, in order; those before the outcome's own have been passed.

    Where nothing was decided, nothing was asked.
    """
    rungs = []
    answered = Answered.PASSED if isinstance(outcome, Outcome) else Answered.NOT_ASKED
    for outcomes, question in _questions():
        decided = outcome in outcomes
        rungs.append(Rung(outcomes, question, Answered.DECIDED if decided else answered))
        if decided:
            answered = Answered.NOT_ASKED
    return tuple(rungs)


def _questions() -> list[tuple[tuple[Outcome, ...], str]]:
    """In the order of `routing.decide`; together they name every outcome, once each."""
    return [
        ((Outcome.ACTOR,), gettext("Is it their own doing?")),
        ((Outcome.INACTIVE,), gettext("Is the account or the membership inactive?")),
        ((Outcome.NO_PERMISSION,), gettext("Is a permission missing that this needs?")),
        ((Outcome.NOT_SUBSCRIBED,), gettext("Is there no subscription to the source?")),
        ((Outcome.CHANNEL_OFF,), gettext("Did the operators turn the channel off?")),
        ((Outcome.TYPE_OFF,), gettext("Is this type of event turned off?")),
        ((Outcome.SOURCE_OFF,), gettext("Is the source turned off?")),
        ((Outcome.BELOW_THRESHOLD,), gettext("Is the bot's threshold not reached?")),
        (
            (Outcome.ALREADY_CLAIMED, Outcome.RESOLVED, Outcome.MOOT),
            gettext("Has something later overtaken it?"),
        ),
        ((Outcome.SNOOZED,), gettext("Is it snoozed?")),
        ((Outcome.HELD,), gettext("Are these quiet hours?")),
        ((Outcome.COLLAPSED,), gettext("Were there too many banners in this minute?")),
        ((Outcome.NO_DEVICE,), gettext("Is there no device that may show it?")),
        ((Outcome.PUSHED,), gettext("Then it is pushed")),
    ]


def levels(occasion: Occasion, candidate: Candidate, facts: Facts) -> tuple[LevelWord, ...]:
    """What each setting says about the level, and which has the last word.

    What is set for a source as a whole comes last: it changes what the others came to.
    """
    said = [
        (Setting.SOURCE_LEVEL, candidate.source_level),
        (Setting.TYPE_LEVEL, candidate.type_level),
        (Setting.TYPE_POLICY, occasion.policy.levels.get(occasion.row.name)),
        (Setting.CATALOGUE, occasion.row.default_level(occasion.data)),
        (Setting.SUBSCRIPTION, candidate.subscription_level),
    ]
    _, decides = resolve_level(occasion, candidate)
    return tuple(_word(setting, level, decides, facts) for setting, level in said)


def _word(setting: Setting, level: Level | None, decides: Setting, facts: Facts) -> LevelWord:
    return LevelWord(
        setting=setting.value,
        words=whose(setting, facts),
        level=level,
        decides=setting is decides,
    )
