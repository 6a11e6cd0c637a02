"""What is done to the system in the middle of a drill."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.drills.ledger import Ledger
from bench.drills.phones import Phones
from bench.drills.system import WORKERS, System

LASTING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a strike happens."""

    system: System
    ledger: Ledger
    phones: Phones
    platforms: Mapping[str, str]
    """By phone, its platform."""

    def phone_of(self, platform: str) -> str:
        """Some phone of that platform."""
        return next(phone for phone, its in self.platforms.items() if its == platform)


Act = Callable[[Scene], None]


def _nothing(scene: Scene) -> None:
    """No violence."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault, and what it may cost."""

    name: str
    before: Act = _nothing
    """Done before the first event."""
    kill: Act = _nothing
    """Done in the middle, while the workers are stopped for the instant of counting."""
    ordeal: Act = _nothing
    """Done after it; returns when what was broken is mended."""
    lasts: bool = False
    """Whether the time until all is settled counts from the end of the ordeal."""
    senders_die: bool = False
    """Whether workers die in mid-send."""
    repeats: bool = False
    """Whether pushes that were in flight may come twice."""
    gateway_forgets: bool = False
    """Whether the phones' memory is lost."""
    hung: Callable[[Scene], frozenset[str]] = lambda scene: frozenset()
    """Phones that never answer."""


def _kill(name: str) -> Act:
    return lambda scene: scene.system.kill(name)


def _kill_web_worker(scene: Scene) -> None:
    scene.system.kill_child("web")


def _kill_backend(scene: Scene) -> None:
    os.kill(scene.ledger.backend(), signal.SIGKILL)


def _freeze(name: str) -> Act:
    def act(scene: Scene) -> None:
        with scene.system.frozen(name):
            time.sleep(LASTING_SECONDS)

    return act


def _refuse(scope: str, seconds: float, **fault: object) -> Act:
    def act(scene: Scene) -> None:
        scene.phones.fault_first(scope, **fault)
        time.sleep(seconds)
        scene.phones.heal()

    return act


def _hung_phone(scene: Scene) -> frozenset[str]:
    return frozenset({scene.phone_of("fcm")})


def _hang(scene: Scene) -> None:
    for phone in _hung_phone(scene):
        scene.phones.fault(phone, hang=True)


STRIKES = (
    Strike("nothing"),
    Strike("web killed", kill=_kill("web")),
    Strike("web's process killed", kill=_kill_web_worker),
    Strike(
        "one escalation worker killed",
        kill=_kill("worker-escalation"),
        senders_die=True,
        repeats=True,
    ),
    Strike("default worker killed", kill=_kill("worker-default"), senders_die=True, repeats=True),
    Strike(
        "all workers killed",
        kill=lambda scene: scene.system.kill_all(WORKERS),
        senders_die=True,
        repeats=True,
    ),
    Strike("scheduler killed", kill=_kill("scheduler")),
    Strike("Valkey killed, data deleted", kill=lambda scene: scene.system.kill_broker_with_data()),
    Strike("PostgreSQL killed", kill=_kill("postgresql"), repeats=True),
    Strike("PostgreSQL backend killed", kill=_kill_backend, repeats=True),
    Strike("gateway killed", kill=_kill("sandbox"), repeats=True, gateway_forgets=True),
    Strike(
        "everything killed",
        kill=lambda scene: scene.system.kill_everything(),
        ordeal=lambda scene: scene.system.start(),
        senders_die=True,
        repeats=True,
        gateway_forgets=True,
    ),
    Strike("Valkey frozen 20 s", ordeal=_freeze("valkey"), lasts=True),
    Strike("PostgreSQL frozen 20 s", ordeal=_freeze("postgresql"), lasts=True),
    Strike("a device hangs for ever", before=_hang, hung=_hung_phone),
    Strike(
        "FCM answers 503 for 20 s", ordeal=_refuse("fcm", LASTING_SECONDS, status=503), lasts=True
    ),
    Strike(
        "APNs refuses our key for 20 s",
        ordeal=_refuse("apns", LASTING_SECONDS, reason="InvalidProviderToken"),
        lasts=True,
    ),
)
