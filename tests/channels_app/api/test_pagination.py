from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from channels_app.api.pagination import MAXIMUM_LIMIT, Pages
from channels_app.models import Organization
from channels_app.problems import ParameterFault, Problem
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ADDRESS = "/api/v1/acme/inbox/?limit=2"


class ByTime(Pages):
    fields = ("created_at", "pk")


class ByName(Pages):
    fields = ("name", "pk")
    descending = False


def page(address: str, pages: type[Pages] = Pages) -> tuple[list[int], str | None, str | None]:
    """The rows of a page, and the addresses of the pages after and before it."""
    paginator = pages()
    rows = paginator.paginate_queryset(
        Organization.objects.all(), Request(APIRequestFactory().get(address))
    )
    body: dict[str, Any] = paginator.get_paginated_response([row.pk for row in rows]).data
    return body["results"], body["next"], body["previous"]


def organizations(count: int, *, at: datetime = NOON) -> list[int]:
    rows = OrganizationFactory.create_batch(count)
    Organization.objects.update(created_at=at)
    return [row.pk for row in rows]


def walk(address: str, pages: type[Pages] = Pages) -> list[list[int]]:
    """All pages from here on."""
    found = []
    following: str | None = address
    while following:
        rows, following, _ = page(following, pages)
        found.append(rows)
    return found


def test_newest_come_first_and_every_row_once() -> None:
    a, b, c, d, e = organizations(5)

    assert walk(ADDRESS) == [[e, d], [c, b], [a]]


@pytest.mark.parametrize("pages", [Pages, ByTime, ByName])
def test_rows_that_are_alike_are_told_apart(pages: type[Pages]) -> None:
    own = organizations(7)
    Organization.objects.update(name="Acme")

    found = sum(walk(ADDRESS, pages), [])

    assert found == (own[::-1] if pages.descending else own)


def test_the_way_back_shows_the_same_pages() -> None:
    a, b, c, d, e = organizations(5)
    _, to_second, _ = page(ADDRESS)
    assert to_second
    _, to_third, _ = page(to_second)
    assert to_third

    third, _, to_second_again = page(to_third)
    assert to_second_again
    second, to_third_again, to_first_again = page(to_second_again)
    assert to_first_again and to_third_again

    assert (third, second) == ([a], [c, b])
    assert page(to_first_again)[0] == [e, d]
    assert page(to_third_again)[0] == [a]


def test_the_first_page_has_none_before_it_and_the_last_none_after_it() -> None:
    organizations(4)
    _, to_second, before_first = page(ADDRESS)
    assert to_second

    _, after_last, _ = page(to_second)

    assert (before_first, after_last) == (None, None)


def test_back_at_the_start_there_is_none_before() -> None:
    organizations(4)
    _, to_second, _ = page(ADDRESS)
    assert to_second
    _, _, to_first = page(to_second)
    assert to_first

    assert page(to_first)[2] is None


def test_rows_that_come_meanwhile_move_no_other_to_another_page() -> None:
    a, b, c, d = organizations(4)
    _, to_second, _ = page(ADDRESS)
    assert to_second

    organizations(3)

    assert page(to_second)[0] == [b, a]


def test_a_page_still_begins_where_it_did_when_the_row_before_it_is_gone() -> None:
    a, b, c, d = organizations(4)
    _, to_second, _ = page(ADDRESS)
    assert to_second

    Organization.objects.filter(pk=c).delete()

    assert page(to_second)[0] == [b, a]


def test_moments_within_one_millisecond_are_in_order() -> None:
    rows = OrganizationFactory.create_batch(4)
    for micros, row in zip((3, 1, 4, 2), rows, strict=True):
        moment = NOON.replace(microsecond=micros)
        Organization.objects.filter(pk=row.pk).update(created_at=moment)
    a, b, c, d = (row.pk for row in rows)

    assert walk("/?limit=1", ByTime) == [[c], [a], [d], [b]]


def test_nothing_is_one_empty_page() -> None:
    assert page(ADDRESS) == ([], None, None)


def test_the_address_of_another_page_keeps_the_question() -> None:
    organizations(3)

    _, to_second, _ = page("/api/v1/acme/inbox/?unread=true&limit=2")

    assert to_second
    assert "unread=true" in urlsplit(to_second).query
    assert "limit=2" in urlsplit(to_second).query


def cursor(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "ä",
        "%00",
        "x" * 600,
        cursor([]),
        cursor({}),
        cursor(None),
        cursor([0]),
        cursor([0, "one"]),
        cursor([0, None]),
        cursor([0, 10**30]),
        cursor([0, 1, 2]),
        cursor([0, [1]]),
        cursor([0, float("inf")]),
        cursor([0, float("nan")]),
        cursor([0, {"pk": 1}]),
        urlsafe_b64encode(b"[" * 300).decode(),
        urlsafe_b64encode(b"[0,1e999]").decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_named(text: str) -> None:
    with pytest.raises(Problem) as refused:
        page(f"/?cursor={text}")

    assert refused.value.status == 400
    (fault,) = refused.value.faults
    assert isinstance(fault, ParameterFault) and fault.parameter == "cursor"


@pytest.mark.parametrize(
    ("pages", "values"),
    [
        (ByTime, ["2026-11-23T12:00:00", 1]),
        (ByTime, ["yesterday", 1]),
        (ByTime, [True, 1]),
        (ByTime, ["0000-00-00T00:00:00Z", 1]),
        (ByName, ["A\0B", 1]),
        (ByName, ["\ud800", 1]),
        (ByName, ["x" * 201, 1]),
        (ByName, [["x"], {}]),
    ],
)
def test_a_cursor_that_was_made_up_is_named(pages: type[Pages], values: list[Any]) -> None:
    with pytest.raises(Problem) as refused:
        page(f"/?cursor={cursor([0, *values])}", pages)

    assert refused.value.status == 400


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "", "ten", "²", "9" * 5000, "%00"])
def test_a_limit_that_cannot_be_is_named(limit: str) -> None:
    with pytest.raises(Problem) as refused:
        page(f"/?limit={limit}")

    (fault,) = refused.value.faults
    assert isinstance(fault, ParameterFault) and fault.parameter == "limit"


def test_the_largest_page_is_a_hundred_rows() -> None:
    organizations(MAXIMUM_LIMIT + 1)

    assert len(page(f"/?limit={MAXIMUM_LIMIT}")[0]) == MAXIMUM_LIMIT
