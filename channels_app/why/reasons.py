"""The reason for each outcome, as the end of a sentence: “… because quiet hours run until 07:00”.

Each is true of what was, of what would be and of whoever is meant, so that it can follow any of the
beginnings in `sentences`; only its translation sees where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language_bidi, gettext, ngettext

from channels_app import bidi, spoken
from channels_app.event_types import Channel, Subject
from channels_app.routing import Outcome, Setting, Snooze, Thresholds
from channels_app.type_names import type_name
from channels_app.why.answers import NoOutcome


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reason may have to name."""

    type: str
    organization: str
    zone: ZoneInfo
    now: datetime
    source: str = ""
    """Its name."""
    channel: Channel | None = None
    subject: Subject = Subject.BOT
    data: Mapping[str, Any] = field(default_factory=dict)
    decided_by: str = ""
    until: datetime | None = None
    snooze: Snooze | None = None
    """The one that covers it until then, where it is still there to be seen."""
    thresholds: Thresholds = Thresholds()
    claimant: str = ""
    """Who is known to have the conversation."""
    banners_per_minute: int | None = None
    joined_at: datetime | None = None
    """When the membership began, if that was later than the event."""

    def moment(self, at: datetime) -> str:
        """By the person's own clock: “07:00”."""
        return spoken.moment(at, zone=self.zone, now=self.now)

    def when(self, at: datetime) -> str:
        """By the person's own clock: “at 07:00”."""
        return spoken.when(at, zone=self.zone, now=self.now)


def named(name: str) -> str:
    """Somebody's words in a sentence of ours, whichever direction either runs in."""
    return bidi.isolate(name, right_to_left=get_language_bidi())


def reason(outcome: str, facts: Facts) -> str:
    """Why it came to this outcome; what was pushed, or was decided by nothing, has none."""
    return REASONS[outcome](facts) if outcome in REASONS else ""


def channel_name(channel: str) -> str:
    """As the reference page calls it."""
    names = {
        Channel.ESCALATION.value: gettext("Customer requested human"),
        Channel.AUTO_UPDATE.value: gettext("Agent auto-update"),
        Channel.WORKFLOW.value: gettext("Workflow status"),
    }
    return names.get(channel, channel)


def _actor(facts: Facts) -> str:
    return gettext("nobody is told of what they did themselves")


def _inactive(facts: Facts) -> str:
    return gettext("the account or the membership is inactive")


def _no_permission(facts: Facts) -> str:
    return gettext("the permission to respond to %(source)s (chatbot.respond) is missing") % {
        "source": named(facts.source)
    }


def _not_subscribed(facts: Facts) -> str:
    return gettext("there is no subscription to %(source)s") % {"source": named(facts.source)}


def _channel_off(facts: Facts) -> str:
    return gettext("the channel “%(channel)s” is turned off for all of %(organization)s") % {
        "channel": channel_name(facts.channel or ""),
        "organization": named(facts.organization),
    }


def _type_off(facts: Facts) -> str:
    match facts.decided_by:
        case Setting.SOURCE_LEVEL:
            text = gettext("“%(type)s” of %(source)s is turned off in the personal settings")
        case Setting.TYPE_LEVEL:
            text = gettext("“%(type)s” is turned off in the personal settings")
        case Setting.TYPE_POLICY:
            text = gettext("“%(type)s” is turned off by default in %(organization)s")
        case _:
            text = gettext("“%(type)s” is off unless somebody turns it on")
    return text % {
        "type": type_name(facts.type),
        "source": named(facts.source),
        "organization": named(facts.organization),
    }


def _source_off(facts: Facts) -> str:
    return gettext("everything of %(source)s is turned off in the personal settings") % {
        "source": named(facts.source)
    }


def _below_threshold(facts: Facts) -> str:
    """The threshold itself is named only if it is still the one that was not reached."""
    data, bar = facts.data, facts.thresholds
    if facts.decided_by == Setting.TONE_MINIMUM:
        if (score := data.get("score", 0)) < bar.tone:
            return gettext(
                "the tone's score of %(score)s does not reach %(source)s's minimum of %(bar)s"
            ) % {
                "score": spoken.score(score),
                "source": named(facts.source),
                "bar": spoken.score(bar.tone),
            }
    elif (count := data.get("consecutive_unanswered", 0)) < bar.unanswered:
        return ngettext(
            "%(count)s unanswered message in a row does not reach %(source)s's threshold of"
            " %(bar)s",
            "%(count)s unanswered messages in a row do not reach %(source)s's threshold of %(bar)s",
            count,
        ) % {"count": count, "source": named(facts.source), "bar": bar.unanswered}
    return gettext("it does not reach the threshold that was set for %(source)s at that time") % {
        "source": named(facts.source)
    }


def _already_claimed(facts: Facts) -> str:
    if facts.claimant:
        return gettext("%(claimant)s has claimed the conversation already") % {
            "claimant": named(facts.claimant)
        }
    return gettext("an agent has claimed the conversation already")


def _resolved(facts: Facts) -> str:
    return gettext("no human is needed in the conversation any more")


def _moot(facts: Facts) -> str:
    if facts.subject is Subject.RUN:
        return gettext("the run of %(source)s is past that point") % {"source": named(facts.source)}
    return gettext("something later has made it meaningless")


def _snoozed(facts: Facts) -> str:
    if facts.until is None:
        return gettext("it is snoozed")
    match facts.snooze:
        case Snooze(source_id=None):
            text = gettext("everything is snoozed until %(until)s")
        case Snooze(subject=""):
            text = gettext("%(source)s is snoozed until %(until)s")
        case Snooze() if facts.subject is Subject.CONVERSATION:
            text = gettext("the conversation is snoozed until %(until)s")
        case Snooze():
            text = gettext("the run of %(source)s is snoozed until %(until)s")
        case _:
            text = gettext("it is snoozed until %(until)s")
    return text % {"until": facts.moment(facts.until), "source": named(facts.source)}


def _held(facts: Facts) -> str:
    if facts.decided_by == Setting.LADDER:
        return gettext("the first wave goes to those who are awake and have a phone that answers")
    if facts.until is None:
        return gettext("it falls into quiet hours")
    return gettext("quiet hours run until %(until)s") % {"until": facts.moment(facts.until)}


def _collapsed(facts: Facts) -> str:
    if facts.banners_per_minute is None:
        return gettext("there were too many banners at once")
    limit = facts.banners_per_minute
    return ngettext(
        "a device is shown %(limit)s banner a minute, and there were more",
        "a device is shown %(limit)s banners a minute, and there were more",
        limit,
    ) % {"limit": limit}


def _no_device(facts: Facts) -> str:
    match facts.decided_by:
        case Setting.OS_PERMISSION:
            text = gettext("the system lets the app show banners on none of the devices")
        case Setting.PHONE_ONLY:
            text = gettext("“%(channel)s” goes to phones only, and there is no phone")
        case Setting.MUTED:
            text = gettext("“%(channel)s” is muted on every device")
        case _:
            text = gettext("there is no device that can be pushed to")
    return text % {"channel": channel_name(facts.channel or "")}


def _not_a_candidate(facts: Facts) -> str:
    if facts.joined_at is not None:
        return gettext("the membership began later, %(joined)s") % {
            "joined": facts.when(facts.joined_at)
        }
    if facts.channel is Channel.NOTICE:
        return gettext("it is meant for somebody else")
    if facts.channel is Channel.ESCALATION:
        return gettext(
            "there is neither a subscription to %(source)s nor the permission to respond to it"
        ) % {"source": named(facts.source)}
    return _not_subscribed(facts)


REASONS: Mapping[str, Callable[[Facts], str]] = {
    Outcome.ACTOR: _actor,
    Outcome.INACTIVE: _inactive,
    Outcome.NO_PERMISSION: _no_permission,
    Outcome.NOT_SUBSCRIBED: _not_subscribed,
    Outcome.CHANNEL_OFF: _channel_off,
    Outcome.TYPE_OFF: _type_off,
    Outcome.SOURCE_OFF: _source_off,
    Outcome.BELOW_THRESHOLD: _below_threshold,
    Outcome.ALREADY_CLAIMED: _already_claimed,
    Outcome.RESOLVED: _resolved,
    Outcome.MOOT: _moot,
    Outcome.SNOOZED: _snoozed,
    Outcome.HELD: _held,
    Outcome.COLLAPSED: _collapsed,
    Outcome.NO_DEVICE: _no_device,
    NoOutcome.NOT_A_CANDIDATE: _not_a_candidate,
}
