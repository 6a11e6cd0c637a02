"""Agents who tap at the same moment, over HTTP, and what must be true of all that they are told.

No Django: these are apps. A server that dies under them is asked again until it answers.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from threading import Barrier, Event
from typing import Any
from urllib.parse import quote

CLAIMERS = 32
REPEATING = 5
"""One in so many claims once more as soon as they are answered."""
WATCHERS = 2
PATIENCE = 60.0
"""Seconds until an app gives up a server that does not answer."""
PAUSE = 0.02


class Unanswered(Exception):
    """The server did not come back."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody with an app: who they are, and the app's token."""

    user_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody was told, and when: seconds of one clock.

    Attributes:
        asked_at: when the request that was answered began; of a claim, the first try.
        holder: who has the conversation, by this answer.
        claims: it answers a claim, and no look.
    """

    agent: int
    asked_at: float
    answered_at: float
    status: int
    holder: int | None
    claims: bool


@dataclass(slots=True)
class Round:
    """One conversation, and all that was answered about it."""

    conversation: str
    answers: list[Answer] = field(default_factory=list)

    @property
    def winners(self) -> set[int]:
        return {one.agent for one in self.answers if one.claims and one.status == 200}

    def faults(self) -> Iterator[str]:
        """What is not as it must be."""
        if len(self.winners) != 1:
            yield f"{len(self.winners)} winners"
            return
        (winner,) = self.winners
        claims = [one for one in self.answers if one.claims]
        if {one.status for one in claims} - {200, 409}:
            yield f"claims were answered {sorted({one.status for one in claims})}"
        if {one.holder for one in claims} != {winner}:
            yield "an answer names somebody else than the winner"
        asked_at = min(one.asked_at for one in claims if one.agent == winner)
        if any(one.answered_at < asked_at for one in claims if one.status == 409):
            yield "somebody lost before the winner asked"
        first_seen = min(one.answered_at for one in self.answers if one.holder is not None)
        late = [one for one in self.answers if one.asked_at > first_seen]
        if any(one.holder is None for one in late):
            yield "somebody saw it free after somebody saw it claimed"


class App:
    """An app of an agent, with a connection that it keeps."""

    def __init__(self, agent: Agent, port: int) -> None:
        self.agent = agent
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def claim(self, conversation: str) -> Answer:
        """Claim, and ask until there is an answer."""
        first_asked_at = time.monotonic()
        _, answered_at, status, body = self._ask("POST", f"{address(conversation)}claim/")
        return self._answer(first_asked_at, answered_at, status, body, claims=True)

    def look(self, conversation: str) -> Answer:
        """Look who has it."""
        asked_at, answered_at, status, body = self._ask("GET", address(conversation))
        return self._answer(asked_at, answered_at, status, body, claims=False)

    def close(self) -> None:
        self._connection.close()

    def _answer(
        self, asked_at: float, answered_at: float, status: int, body: Any, *, claims: bool
    ) -> Answer:
        holder = (body.get("holder") or {}).get("user_id")
        return Answer(self.agent.user_id, asked_at, answered_at, status, holder, claims)

    def _ask(self, method: str, path: str) -> tuple[float, float, int, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            asked_at = time.monotonic()
            try:
                headers = {"authorization": f"Bearer {self.agent.token}"}
                self._connection.request(method, path, headers=headers)
                answer = self._connection.getresponse()
                body = answer.read()
                answered_at = time.monotonic()
                return asked_at, answered_at, answer.status, json.loads(body)
            except (OSError, HTTPException) as error:
                self._connection.close()
                if asked_at > deadline:
                    raise Unanswered(path) from error
                time.sleep(PAUSE)


def address(conversation: str) -> str:
    return f"/api/v1/acme/conversations/{quote(conversation, safe='')}/"


def play(
    conversations: Sequence[str],
    agents: Sequence[Agent],
    *,
    port: int,
    strike: Callable[[], None],
    seed: int = 4,
) -> list[Round]:
    """Let all agents claim each conversation at once, one after the other.

    Args:
        agents: `WATCHERS` more than claim.
        strike: kills the server and starts it again, in the middle of the round in the middle.
    """
    chance = Random(seed)
    apps = [App(agent, port) for agent in agents]
    try:
        with ThreadPoolExecutor(len(apps) + 1) as pool:
            return [
                _round(
                    conversation,
                    apps,
                    pool,
                    repeating=frozenset(chance.sample(range(len(apps)), len(apps) // REPEATING)),
                    strike=strike if number == len(conversations) // 2 else None,
                )
                for number, conversation in enumerate(conversations)
            ]
    finally:
        for app in apps:
            app.close()


def _round(
    conversation: str,
    apps: Sequence[App],
    pool: ThreadPoolExecutor,
    *,
    repeating: frozenset[int],
    strike: Callable[[], None] | None,
) -> Round:
    start = Barrier(len(apps) + (strike is not None), timeout=PATIENCE)
    over = Event()

    def claim(number: int) -> list[Answer]:
        start.wait()
        times = 2 if number in repeating else 1
        return [apps[number].claim(conversation) for _ in range(times)]

    def watch(number: int) -> list[Answer]:
        start.wait()
        seen = [apps[number].look(conversation)]
        while not over.is_set():
            seen.append(apps[number].look(conversation))
        return seen

    def struck() -> list[Answer]:
        assert strike is not None
        start.wait()
        strike()
        return []

    watching = [pool.submit(watch, number) for number in range(WATCHERS)]
    claiming = [pool.submit(claim, number) for number in range(WATCHERS, len(apps))]
    striking = [pool.submit(struck)] if strike is not None else []
    try:
        answers = [one for task in [*claiming, *striking] for one in task.result()]
    finally:
        over.set()
    answers += [one for task in watching for one in task.result()]
    return Round(conversation, answers)
