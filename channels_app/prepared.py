"""Statements that PostgreSQL parses and plans once for each connection, instead of each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.db import OperationalError, ProgrammingError
from django.db import connection as database
from psycopg2.errors import DuplicatePreparedStatement, InvalidSqlStatementName

_EXECUTED: dict[str, WeakKeyDictionary[Any, int]] = {}
_PARAMETER = re.compile(r"%\((\w+)\)s")


class Prepared:
    """A statement with parameters `%(name)s`, and its prepared form on every connection.

    For statements that are large and frequent: planning one costs more than executing it. Cast each
    parameter where its type does not follow from what it is compared with.
    """

    def __init__(self, sql: str) -> None:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbers = {name: number for number, name in enumerate(names, start=1)}
        # The same name is the same text, whichever version of Pushbridge prepared it in a session
        # that a pooler handed on.
        self.name = f"pushbridge_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
        self._sql = sql
        self._prepare = f"PREPARE {self.name} AS " + _PARAMETER.sub(
            lambda match: f"${numbers[match[1]]}", sql
        )
        given = f" ({', '.join(f'%({name})s' for name in names)})" if names else ""
        self._execute = f"EXECUTE {self.name}{given}"
        # How often each session has executed it, by the driver's connection: a reconnect makes
        # another. Two statements of the same text are one.
        self._executed = _EXECUTED.setdefault(self.name, WeakKeyDictionary())

    def first(self, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Execute the statement; answer the first row, if there is one.

        Within a transaction it is executed as it stands: an EXECUTE that failed there, because the
        session is not the one that we prepared it in, would end the transaction.
        """
        with database.cursor() as cursor:
            self._execute_safely(cursor, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def run(self, parameters: Mapping[str, Any]) -> None:
        """Execute the statement, which answers no rows; otherwise as `first`."""
        with database.cursor() as cursor:
            self._execute_safely(cursor, parameters)

    def all(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute the statement; answer its rows.

        For workers, whose sessions are their own (`leases`): it is prepared within transactions,
        too. Should the session have been cleared all the same, then that transaction fails and the
        next one prepares the statement anew.
        """
        with database.cursor() as cursor:
            self._execute_prepared(cursor, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _execute_safely(self, cursor: Any, parameters: Mapping[str, Any]) -> None:
        if database.in_atomic_block:
            cursor.execute(self._sql, parameters)
        else:
            self._execute_prepared(cursor, parameters)

    def _execute_prepared(self, cursor: Any, parameters: Mapping[str, Any]) -> None:
        session = database.connection
        executed = self._executed.get(session, 0)
        try:
            if executed == 0:
                self._prepare_here(cursor)
            elif _is_time_to_renew(executed):
                cursor.execute(f"DEALLOCATE {self.name}; {self._prepare}")
            self._executed[session] = executed + 1
            cursor.execute(self._execute, parameters)
        except OperationalError as error:
            if not isinstance(error.__cause__, InvalidSqlStatementName):
                raise
            # Another session than we think (a pooler's), or one that somebody cleared: nothing was
            # executed. This time as it stands; the next time it is prepared here as well.
            self._executed.pop(session, None)
            if database.in_atomic_block:
                raise
            cursor.execute(self._sql, parameters)

    def _prepare_here(self, cursor: Any) -> None:
        try:
            cursor.execute(self._prepare)
        except ProgrammingError as error:
            # By another client of a pooler, whose session we share.
            if not isinstance(error.__cause__, DuplicatePreparedStatement):
                raise


def _is_time_to_renew(executed: int) -> bool:
    """Whether the number of executions has doubled.

    PostgreSQL keeps a plan until it hears that the tables have changed much, a minute later; one
    made while they were empty reads them whole. So none is older than half of the executions.
    """
    return executed >= 8 and executed & (executed - 1) == 0
