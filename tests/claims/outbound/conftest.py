from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from channels_app.gateways.transport import Transport
from claims.outbound.sender import Sender
from claims.outbound.tries import Leased
from tests.claims.outbound.receiver import Receiver, receiving

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def receiver(authority: trustme.CA) -> Iterator[Receiver]:
    with receiving(authority) as one:
        yield one


Senders = Callable[..., Sender]


@pytest.fixture
def senders(ca_file: str, clock: Time) -> Iterator[Senders]:
    """Make a sender that may reach this machine; closed at the end."""
    made: list[Sender] = []

    def make(*, networks: tuple[str, ...] = ("127.0.0.0/8",), seconds: float = 5.0) -> Sender:
        network: Transport[Leased] = Transport(
            ca_file=ca_file, networks=networks, request_seconds=seconds
        )
        made.append(Sender(network, clock=clock))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


@pytest.fixture
def sender(senders: Senders) -> Sender:
    return senders()
