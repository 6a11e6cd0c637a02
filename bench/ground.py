"""What both systems stand on, and what each has to be able to do."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.gateway import Gateway
from bench.measuring import System
from bench.servers import Servers

# Device counts of the seeded bots: `bot_10` has ten subscribers with one phone each.
BOTS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Ground:
    """The servers, the gateway, a folder for whatever is written, and the key to sign with."""

    servers: Servers
    gateway: Gateway
    folder: Path

    @property
    def apns_key(self) -> Path:
        """An APNs authentication key (.p8)."""
        return self.folder / "apns.p8"

    @property
    def server_processes(self) -> dict[str, list[int]]:
        """The servers' part of a system's processes."""
        return {"PostgreSQL": [self.servers.postgres_pid], "broker": [self.servers.broker_pid]}


class Contender(Protocol):
    """A system that can be measured."""

    @property
    def name(self) -> str:
        """What it is called in the results."""

    @property
    def full_speed_events(self) -> Mapping[int, int]:
        """How many events keep it busy for some seconds, by devices per event."""

    @property
    def accepted(self) -> str:
        """SQL: how many deliveries it holds for accepted by the gateway."""

    def prepare(self, database: str) -> None:
        """Make its tables in an empty database, with BOTS and their members."""

    def run(self, database: str) -> AbstractContextManager[System]:
        """Run on a copy of that database."""


def write_apns_key(ground: Ground) -> None:
    """A fresh P-256 key, as Apple gives them out."""
    key = ec.generate_private_key(ec.SECP256R1())
    ground.apns_key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
