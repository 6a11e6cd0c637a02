"""The chatbot platform of a drill: signs, sends, and repeats what was not taken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
from standardwebhooks import Webhook

from bench.drills.events import Planned

SENDERS = 4
ANSWER_SECONDS = 15.0
REPEAT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint (its whole URL), and the secret that it verifies by."""

    url: str
    secret: str


@dataclass(slots=True)
class Post:
    """What became of one event at the door. Times are epoch seconds."""

    planned: Planned
    tries: int = 0
    status: int = 0
    """Of the answer that ended it: 2xx or 4xx; 0 while there was none."""
    event_id: int = 0
    taken_at: float = 0.0
    """When it was answered 2xx."""


@dataclass(slots=True)
class Platform:
    """Sends every event in its turn, at a rate, until each was answered."""

    doors: Sequence[Door]
    posts: Sequence[Post]
    rate: float
    """Events a second."""
    _next: int = 0
    _begin: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to send, in threads."""
        self._begin = time.monotonic()
        for _ in range(SENDERS):
            thread = threading.Thread(target=self._send_all, name="platform", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def taken(self) -> int:
        """How many events were answered 2xx so far."""
        return sum(1 for post in self.posts if post.taken_at)

    @property
    def is_done(self) -> bool:
        """Whether every event has its answer."""
        return all(post.status for post in self.posts)

    def stop(self) -> None:
        """Give up what has no answer yet."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        with requests.Session() as session:
            session.trust_env = False  # it is on this machine: no proxy lies on the way
            while (number := self._take_number()) is not None:
                due = self._begin + number / self.rate
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                self._send(session, self.posts[number], self.doors[number % len(self.doors)])

    def _take_number(self) -> int | None:
        with self._lock:
            number = self._next
            self._next += 1
        return number if number < len(self.posts) else None

    def _send(self, session: requests.Session, post: Post, door: Door) -> None:
        body = json.dumps(post.planned.content, ensure_ascii=False)
        while not self._stop.is_set():
            post.tries += 1
            try:
                answer = session.post(
                    door.url,
                    data=body.encode(),
                    headers=_headers(post.planned.webhook_id, body, door.secret),
                    timeout=ANSWER_SECONDS,
                )
            except requests.RequestException:
                self._stop.wait(REPEAT_SECONDS)
                continue
            if answer.ok:
                post.event_id = int(answer.json()["id"])
                post.taken_at = time.time()
            if answer.ok or (400 <= answer.status_code < 500 and answer.status_code != 429):
                post.status = answer.status_code
                return
            self._stop.wait(REPEAT_SECONDS)


def _headers(webhook_id: str, body: str, secret: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body),
    }
