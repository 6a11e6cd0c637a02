"""Advice about levels: what is rarely opened could be quiet, or off. Pure.

What would have been saved is found by `routing` itself, which judges each banner again as if the
setting had been another. Escalations are no noise: nothing here speaks of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from channels_app.advisor.advice import WORTH, Advice, Knob, Option
from channels_app.advisor.shares import Judgement, judge
from channels_app.advisor.tallies import ORDER, RINGING, Group, Sent, Tally
from channels_app.effective_levels import Words, failure_level, usual_level
from channels_app.event_types import EVENT_TYPES, Channel, EventType, Subject
from channels_app.levels import Level
from channels_app.routing import Policy

ADVISABLE = (Channel.AUTO_UPDATE, Channel.WORKFLOW)
# Who reads something in the inbox would miss it there: what is off is not listed.
READ_RARELY = 0.25


def advise(sent: Sent, *, policy: Policy) -> list[Advice]:
    """For everyone where a type is rarely opened, whatever its source; else for what is."""
    found = [_of_type(type, sent, policy) for type in sent.of_type]
    for_all = [advice for advice in found if advice is not None]
    advised = {advice.type for advice in for_all}
    rest = [group for group in sent.groups if group.type not in advised]
    of_workflows = list(_of_workflows(sent, rest, policy))
    hushed = {advice.source_id for advice in of_workflows}
    return [*for_all, *of_workflows, *_of_sources(sent, rest, hushed, policy)]


def _of_type(type: str, sent: Sent, policy: Policy) -> Advice | None:
    """The operators' level for a type."""
    row, tally = EVENT_TYPES[type], sent.of_type[type]
    if not _is_noise(row, tally):
        return None
    groups = [group for group in sent.groups if group.type == type]
    options = _options(
        [(group, _now(group, policy)) for group in groups if not group.own],
        lambda level: _under(Policy(policy.channels_off, {**policy.levels, type: level})),
        _lower(row, tally),
    )
    if not options:
        return None
    own = sum(group.banners for group in groups if group.own)
    return Advice(Knob.TYPE_POLICY, type, None, options, tally, own_banners=own)


def _of_workflows(sent: Sent, groups: Sequence[Group], policy: Policy) -> Iterator[Advice]:
    """Each member's own level for a workflow. Never for a bot: it would hush its escalations."""
    for source_id, tally in sent.of_source.items():
        of_source = [group for group in groups if group.source_id == source_id]
        ringing = {group.type for group in of_source if group.level in RINGING}
        if len(ringing) < 2 or any(EVENT_TYPES[one].subject is not Subject.RUN for one in ringing):
            continue
        if tally.judgement is not Judgement.RARELY:
            continue
        before = [(group, _now(group, policy)) for group in of_source]
        if options := _options(before, _capped, [Level.QUIET]):
            yield Advice(Knob.SUBSCRIPTION, "", source_id, options, tally)


def _of_sources(
    sent: Sent, groups: Sequence[Group], hushed: Collection[int | None], policy: Policy
) -> Iterator[Advice]:
    """Each member's own level for a type from one source; `hushed`: it is to be quiet anyway."""
    for (type, source_id), tally in sent.of_both.items():
        row = EVENT_TYPES[type]
        if source_id is None or not _is_noise(row, tally):
            continue
        levels = _lower(row, tally)
        options = _options(
            [
                (group, _now(group, policy))
                for group in groups
                if (group.type, group.source_id) == (type, source_id)
            ],
            _capped,
            [level for level in levels if level is Level.OFF or source_id not in hushed],
        )
        if options:
            yield Advice(Knob.SOURCE_LEVEL, type, source_id, options, tally)


def _is_noise(row: EventType, tally: Tally) -> bool:
    return row.channel in ADVISABLE and tally.judgement is Judgement.RARELY


def _lower(row: EventType, tally: Tally) -> list[Level]:
    """The levels that may be advised. What tells of trouble or of a big change is never off."""
    serious = Level.LOUD in (row.level, row.failure_level)
    unread = judge(tally.read, tally.known, limit=READ_RARELY) is Judgement.RARELY
    return [Level.OFF, Level.QUIET] if unread and not serious else [Level.QUIET]


def _options(
    before: Sequence[tuple[Group, Level]],
    change: Callable[[Level], Callable[[Group], Level]],
    levels: Iterable[Level],
) -> tuple[Option, ...]:
    """Those that would have saved enough. Each group comes with its level as things are."""
    found = []
    for level in levels:
        after = change(level)
        judged = [(group.banners, was, after(group)) for group, was in before]
        option = Option(
            value=level.value,
            banners=sum(n for n, was, will in judged if will is Level.OFF and was is not will),
            rings=sum(n for n, was, will in judged if was in RINGING and will not in RINGING),
        )
        if option.saved >= WORTH:
            found.append(option)
    return tuple(found)


def _now(group: Group, policy: Policy) -> Level:
    """What these banners would be today.

    What was lowered since saves nothing any more. A level of their own may have been raised or
    lowered since by each of its readers: it counts as it was.
    """
    return group.level if group.own else _lower_of(group.level, _under(policy)(group))


def _under(policy: Policy) -> Callable[[Group], Level]:
    """The level that banners have under a policy, for who has none of their own for the type."""

    def level(group: Group) -> Level:
        row, words = EVENT_TYPES[group.type], Words(of_subscription=group.subscription)
        usual = usual_level(row, policy=policy, words=words)
        failure = failure_level(row, policy=policy, words=words) or usual
        return max(usual.level, failure.level, key=ORDER.index)

    return level


def _capped(level: Level) -> Callable[[Group], Level]:
    return lambda group: _lower_of(group.level, level)


def _lower_of(one: Level, other: Level) -> Level:
    return min(one, other, key=ORDER.index)
