"""The phones of a drill: everything that ever came to them, also before the sandbox was killed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests

LOOK_SECONDS = 0.1
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A push that a phone got. `notification_id` and phone together are one delivery."""

    phone_id: str
    event_id: int
    notification_id: int
    seq: int
    received_at: float
    """Epoch seconds."""


@dataclass(slots=True)
class Phones:
    """Reads the sandbox's history all the time: it lives in the sandbox's memory only."""

    url: str
    _seen: dict[tuple[int, float], Arrival] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)
    """When we looked, in epoch seconds: what had come by then, we have seen."""
    _last_seq: int = 0
    _session: requests.Session = field(default_factory=requests.Session)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch, in a thread."""
        self._session.trust_env = False
        self._last_seq = int(self._get("/healthz")["seq"])
        self._thread = threading.Thread(target=self._watch, name="phones", daemon=True)
        self._thread.start()

    def stop(self) -> list[Arrival]:
        """Look a last time; everything that came since `start`."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._look()
        self._session.close()
        return list(self._seen.values())

    def fault(self, scope: str, **fault: Any) -> None:
        """Play a fault on every request until `heal`."""
        order = {"scope": scope, "fault": fault, "times": None}
        requests.post(
            f"{self.url}/api/faults", json=order, timeout=ANSWER_SECONDS
        ).raise_for_status()

    def fault_first(self, scope: str, **fault: Any) -> None:
        """The same, in the place of all faults there were: the oldest one that fits is played."""
        self.heal()
        self.fault(scope, **fault)

    def heal(self) -> None:
        """End all faults."""
        requests.delete(f"{self.url}/api/faults", timeout=ANSWER_SECONDS).raise_for_status()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self._look()
            except (requests.RequestException, ValueError):
                # Perhaps it was killed: the next one counts from 1 again.
                self._last_seq = 0

    def _look(self) -> None:
        began_at = time.time()
        for row in self._get(f"/api/banners?after={self._last_seq}"):
            arrival = Arrival(
                phone_id=row["phone_id"],
                event_id=int(row["data"].get("event_id", 0)),
                notification_id=int(row["data"].get("notification_id", 0)),
                seq=row["seq"],
                received_at=row["received_at"],
            )
            self._seen[arrival.seq, arrival.received_at] = arrival
            self._last_seq = arrival.seq
        self.looks.append(began_at)

    def _get(self, path: str) -> Any:
        answer = self._session.get(self.url + path, timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return answer.json()
