"""Outages of the database server, however the driver puts them."""

from __future__ import annotations

from django.db import DatabaseError, Error, InterfaceError, OperationalError


def is_outage(error: Error) -> bool:
    """Whether the server is gone, rather than that it found fault with what it was asked.

    psycopg2 says OperationalError or InterfaceError; of a server that was killed in the middle of a
    statement sometimes no more than DatabaseError ("server closed the connection unexpectedly").
    Whatever the server itself refuses is of a class below that one.
    """
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
