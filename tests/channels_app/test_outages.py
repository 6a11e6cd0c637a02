from __future__ import annotations

import pytest
from django.db import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from channels_app.outages import is_outage


@pytest.mark.parametrize("error", [OperationalError(), InterfaceError(), DatabaseError()])
def test_a_server_that_is_gone_is_an_outage(error: Error) -> None:
    assert is_outage(error)


@pytest.mark.parametrize("error", [DataError(), IntegrityError(), ProgrammingError()])
def test_a_server_that_refuses_is_none(error: Error) -> None:
    assert not is_outage(error)
