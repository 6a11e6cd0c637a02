"""Events that nobody sent, for *what if*."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels_app.cases import Case
from channels_app.event_types import CATALOGUE, Channel, EventType, Subject
from channels_app.links import About
from channels_app.models import Bot, Organization, Source
from channels_app.problems import Fault
from channels_app.shape_faults import shape_faults

# The types that may be imagined: those that anybody is ever told of.
TOLD = tuple(row.name for row in CATALOGUE.values() if row.channel not in (None, Channel.NOTICE))

# What an imagined event says of itself where nobody cares to.
USUAL: Mapping[str, Any] = {
    "conversation": {"id": "rehearsal"},
    "run": {"id": "rehearsal"},
    "step": {"index": 1, "running_seconds": 900.0},
    "tone": "anger",
    "score": 1.0,
    "chunks": 1,
    "document": "rehearsal",
    "pages": 1,
    "source": "rehearsal",
    "cause": "low_csat",
    "tool": {"id": "rehearsal", "name": "rehearsal"},
    "status": "success",
}


class NotImaginable(ValueError):
    """It cannot be an event.

    Attributes:
        faults: each place that is wrong; `/type`, `/source`, `/at` or within `/data`.
    """

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults))
        self.faults = faults


def imagine(
    *,
    type: str,
    source: Source,
    organization: Organization,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> Case:
    """The event as if it came at this moment: it is new, and nothing has overtaken it.

    Args:
        source: of this organization.
        data: fields of the event's data; those that are left out are as usual.

    Raises:
        NotImaginable: no such event could come from this source.
    """
    row = CATALOGUE.get(type)
    if row is None or row.name not in TOLD:
        raise NotImaginable([Fault("/type", f"must be one of {', '.join(TOLD)}")])
    return _case(row, _data(row, source, data or {}), organization, source, at=at)


def kind_of_source(type: str) -> Source.Kind:
    """What sends events of a type of the catalogue."""
    return Source.Kind.WORKFLOW if CATALOGUE[type].subject is Subject.RUN else Source.Kind.BOT


def _data(row: EventType, source: Source, given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of the event's data.

    Raises:
        NotImaginable
    """
    kind = kind_of_source(row.name)
    if source.kind != kind:
        raise NotImaginable([Fault("/source", f"must be a {kind.value}, for {row.name}")])
    usual = {**USUAL, "consecutive_unanswered": _threshold(row, source)}
    needed = {name for name, field in row.shape.model_fields.items() if field.is_required()}
    whole = {name: value for name, value in usual.items() if name in needed}
    own = {"id": source.external_id, "name": source.name or source.external_id}
    whole |= {kind.value: own, **given}
    faults = shape_faults(row, whole)
    if whole[kind.value] != own:
        faults.append(Fault(f"/data/{kind.value}", "is the source, which is named already"))
    if faults:
        raise NotImaginable(faults)
    return whole


def _threshold(row: EventType, source: Source) -> int:
    """Unless said otherwise, the bot failed just often enough."""
    if row.channel is not Channel.ESCALATION:
        return 0
    return Bot.objects.values_list("unanswered_threshold", flat=True).get(pk=source.pk)


def _case(
    row: EventType,
    data: Mapping[str, Any],
    organization: Organization,
    source: Source,
    *,
    at: datetime,
) -> Case:
    subject = data.get("conversation") or data.get("run") or {}
    return Case(
        event_id=0,
        row=row,
        data=data,
        facts={},
        about=About(
            row=row,
            organization_id=organization.pk,
            event_id=0,
            source=source.external_id,
            subject=subject.get("id", ""),
        ),
        lane=row.lane,
        source_id=source.pk,
        organization_id=organization.pk,
        organization=organization.slug,
        claim_window=organization.claim_window,
        banners_per_minute=organization.banners_per_minute,
        occurred_at=at,
        received_at=at,
    )
