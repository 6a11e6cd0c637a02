"""Pages that stay right while rows come and go: each begins after the last row of the one before.

A cursor holds the position of a row, not a number of rows to leave out: it costs the same on the
thousandth page as on the first.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, Q, QuerySet
from django.utils import timezone
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from channels_app import strict_json
from channels_app.problems import ParameterFault, Problem

if TYPE_CHECKING:
    # REST framework's views import what its settings name.
    from rest_framework.views import APIView

DEFAULT_LIMIT = 30
MAXIMUM_LIMIT = 100
# Longer than any that we give out.
MAXIMUM_CURSOR = 512


@dataclass(frozen=True, slots=True)
class Cursor:
    """Between which rows a page begins: beside the one with these values, going this way."""

    back: bool
    values: tuple[Any, ...]


class Pages(BasePagination):
    """`?limit=` and `?cursor=`; the answer has `next`, `previous` (addresses or null), `results`.

    Newest first, by `pk`. A subclass names other fields: together they are unique, the last one
    alone tells rows apart, and an index serves them in this order.
    """

    fields: tuple[str, ...] = ("pk",)
    descending = True

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Raises Problem: 400, where `limit` or `cursor` is not one."""
        assert isinstance(queryset, QuerySet)
        limit = _limit(request)
        cursor = self._cursor(request, queryset.model)
        back = cursor is not None and cursor.back
        rows = queryset.order_by(*self._order(back))
        if cursor is not None:
            rows = rows.filter(self._beyond(cursor))
        found = list(rows[: limit + 1])
        more, page = len(found) > limit, found[:limit]
        if back:
            page.reverse()
        self._url = request.build_absolute_uri()
        self._next = self._link(page, back=False) if (more or back) else None
        self._previous = self._link(page, back=True) if (more if back else cursor) else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next, "previous": self._previous, "results": data})

    def _order(self, back: bool) -> list[str]:
        sign = "-" if self.descending != back else ""
        return [f"{sign}{field}" for field in self.fields]

    def _beyond(self, cursor: Cursor) -> Q:
        """The rows after the cursor's: of (a, b) < (x, y), what PostgreSQL can use an index for."""
        operator = "lt" if self.descending != cursor.back else "gt"
        *leading, last = zip(self.fields, cursor.values, strict=True)
        beyond = Q(**{f"{last[0]}__{operator}": last[1]})
        for field, value in reversed(leading):
            beyond = Q(**{f"{field}__{operator}e": value}) & (
                Q(**{f"{field}__{operator}": value}) | beyond
            )
        return beyond

    def _link(self, page: Sequence[Any], *, back: bool) -> str | None:
        """The address of the page beside this one. An empty page has nothing to stand beside."""
        if not page:
            return None
        row = page[0] if back else page[-1]
        values = [getattr(row, field) for field in self.fields]
        text = json.dumps([int(back), *values], cls=_Exact, separators=(",", ":"))
        cursor = urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return replace_query_param(self._url, "cursor", cursor)

    def _cursor(self, request: Request, model: type[Model]) -> Cursor | None:
        text = request.query_params.get("cursor")
        if text is None:
            return None
        try:
            if len(text) > MAXIMUM_CURSOR:
                raise ValueError("too long")
            back, *values = strict_json.loads(urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}"))
            return Cursor(bool(back), tuple(self._values(model, values)))
        except (ValueError, TypeError, ValidationError):
            _refuse("cursor", "must be one from the `next` or `previous` of a page")

    def _values(self, model: type[Model], values: list[Any]) -> list[Any]:
        """What the cursor says, as values that the database takes."""
        fields = [
            model._meta.pk if name == "pk" else model._meta.get_field(name) for name in self.fields
        ]
        return [
            _position(field, value)  # type: ignore[arg-type]  # no relation is an order
            for field, value in zip(fields, values, strict=True)
        ]

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page begins: from `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {
                "name": "limit",
                "in": "query",
                "description": "Rows on a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAXIMUM_LIMIT,
                    "default": DEFAULT_LIMIT,
                },
            },
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        # drf-spectacular puts the example of a row into a page of these.
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        return {
            "type": "object",
            "properties": {
                "next": {**link, "description": "The page after this one; null: there is none."},
                "previous": {**link, "description": "The page before this one."},
                "results": schema,
            },
            "required": ["next", "previous", "results"],
        }


def _position(field: Field[Any, Any], value: Any) -> Any:
    """What a field holds, from what a cursor says; anybody may have written that.

    Raises:
        ValueError, TypeError, ValidationError: no row has this value.
    """
    if not isinstance(value, str | int):
        raise ValueError("neither text nor a whole number")
    position = field.clean(value, None)
    if isinstance(position, datetime) and timezone.is_naive(position):
        raise ValueError("no instant")
    return position


class _Exact(DjangoJSONEncoder):
    """Dates to the microsecond: Django's encoder cuts them to milliseconds."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if hasattr(value, "isoformat") else super().default(value)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MAXIMUM_LIMIT:
        return int(text)
    _refuse("limit", f"must be a whole number from 1 to {MAXIMUM_LIMIT}")


def _refuse(parameter: str, detail: str) -> NoReturn:
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        f"The parameter {parameter!r} cannot be used.",
        faults=[ParameterFault(parameter, detail)],
    )
