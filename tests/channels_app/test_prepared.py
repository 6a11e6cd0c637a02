from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DataError, OperationalError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from channels_app.prepared import Prepared
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sum() -> Iterator[Prepared]:
    yield Prepared("SELECT %(one)s::int + %(two)s::int, %(two)s::int")
    database.close()


def told(captured: CaptureQueriesContext) -> list[str]:
    """The first word of each statement."""
    return [query["sql"].split()[0] for query in captured.captured_queries]


def test_a_statement_is_prepared_once_and_then_only_executed(sum: Prepared) -> None:
    with CaptureQueriesContext(database) as captured:
        assert [sum.first({"one": number, "two": 2}) for number in range(3)] == [
            (2, 2),
            (3, 2),
            (4, 2),
        ]

    assert told(captured) == ["PREPARE", "EXECUTE", "EXECUTE", "EXECUTE"]


def test_two_of_the_same_text_are_prepared_once(sum: Prepared) -> None:
    twin = Prepared("SELECT %(one)s::int + %(two)s::int, %(two)s::int")
    with CaptureQueriesContext(database) as captured:
        for each in (sum, twin):
            assert each.all({"one": 1, "two": 2}) == [(3, 2)]
    assert told(captured) == ["PREPARE", "EXECUTE", "EXECUTE"]


def test_a_statement_without_rows_is_executed_all_the_same() -> None:
    statement = Prepared("DELETE FROM django_session WHERE expire_date < %(now)s::timestamptz")
    with CaptureQueriesContext(database) as captured:
        statement.run({"now": "2026-01-01"})
        with transaction.atomic():
            statement.run({"now": "2026-01-01"})
    assert told(captured) == ["PREPARE", "EXECUTE", "BEGIN", "DELETE", "COMMIT"]
    database.close()


def test_no_row_is_none() -> None:
    assert Prepared("SELECT 1 WHERE %(no)s::bool").first({"no": False}) is None


def test_each_connection_prepares_it_for_itself(sum: Prepared) -> None:
    assert at_once(4, lambda number: sum.first({"one": number, "two": 1})) == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 1),
    ]


def test_after_a_reconnect_it_is_prepared_again(sum: Prepared) -> None:
    sum.first({"one": 1, "two": 2})
    database.close()

    with CaptureQueriesContext(database) as captured:
        assert sum.first({"one": 1, "two": 2}) == (3, 2)

    assert told(captured)[-2:] == ["PREPARE", "EXECUTE"]


@pytest.mark.parametrize("surprise", ["DISCARD ALL", "DEALLOCATE ALL"])
@pytest.mark.parametrize("before", range(1, 10))
def test_a_session_that_was_cleared_costs_no_answer(
    sum: Prepared, surprise: str, before: int
) -> None:
    for _ in range(before):
        sum.first({"one": 1, "two": 2})
    with database.cursor() as cursor:
        cursor.execute(surprise)

    assert [sum.first({"one": 1, "two": 2}) for _ in range(3)] == [(3, 2)] * 3

    with CaptureQueriesContext(database) as captured:
        sum.first({"one": 1, "two": 2})
    assert told(captured) == ["EXECUTE"]


def test_a_session_in_which_another_has_prepared_it_is_used_as_it_is(sum: Prepared) -> None:
    sum.first({"one": 1, "two": 2})
    again = Prepared("SELECT %(one)s::int + %(two)s::int, %(two)s::int")

    assert again.name == sum.name
    assert again.first({"one": 1, "two": 2}) == (3, 2)


def test_other_texts_have_other_names() -> None:
    assert Prepared("SELECT 1").name != Prepared("SELECT 2").name


def test_it_is_planned_anew_whenever_the_executions_have_doubled(sum: Prepared) -> None:
    with CaptureQueriesContext(database) as captured:
        for _ in range(40):
            sum.first({"one": 1, "two": 2})

    words = told(captured)
    assert words.count("EXECUTE") == 40
    renewed = [at for at, word in enumerate(words) if word == "DEALLOCATE"]
    assert [words[:at].count("EXECUTE") for at in renewed] == [8, 16, 32]


def test_a_plan_that_was_made_for_an_empty_table_does_not_stay() -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE growing (id int PRIMARY KEY)")
        cursor.execute("ANALYZE growing")
    insert = Prepared(
        "INSERT INTO growing SELECT %(id)s::int WHERE NOT EXISTS"
        " (SELECT FROM growing WHERE id = %(id)s) RETURNING id"
    )
    for number in range(2000):
        insert.first({"id": number})

    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN EXECUTE {insert.name} (1)")
        plan = " ".join(line for (line,) in cursor.fetchall())
    database.close()
    assert "growing_pkey" in plan and "Seq Scan" not in plan


def test_within_a_transaction_it_is_executed_as_it_stands(sum: Prepared) -> None:
    with transaction.atomic(), CaptureQueriesContext(database) as captured:
        assert sum.first({"one": 1, "two": 2}) == (3, 2)

    assert told(captured) == ["SELECT"]


def test_what_the_server_finds_wrong_is_the_callers_to_hear(sum: Prepared) -> None:
    with pytest.raises(DataError):
        sum.first({"one": 2_147_483_647, "two": 1})

    assert sum.first({"one": 1, "two": 2}) == (3, 2)


def test_a_lost_connection_is_the_callers_to_hear(sum: Prepared) -> None:
    sum.first({"one": 1, "two": 2})
    ending = Prepared("SELECT pg_terminate_backend(pg_backend_pid(), 0)")

    with pytest.raises(OperationalError):
        ending.first({})
    database.close()
    assert sum.first({"one": 1, "two": 2}) == (3, 2)
