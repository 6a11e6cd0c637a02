"""The ladder of a real system, whose processes die between two waves."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg2

from bench.drills.drill import Stage
from bench.drills.events import Planned
from bench.drills.ledger import Ledger
from bench.drills.phones import Phones
from bench.drills.platform import Platform, Post
from bench.drills.system import WORKERS

PATIENCE_SECONDS = 90.0
GAP_SECONDS = 8
# Two sweeps more, and a little.
LOOK_ON_SECONDS = 8.0
SUBJECT = "ladder-conversation"

LADDER = """
    WITH ladder AS (
        INSERT INTO claims_ladder
            (organization_id, bot_id, repeats, repeat_every, alarm, claim_lease)
        SELECT organization_id, id, 0, interval '10 minutes', false, NULL
        FROM chatbot_source WHERE external_id = 'bot_a'
        RETURNING id
    )
    INSERT INTO claims_wave (ladder_id, after, audience)
    SELECT id, after, audience FROM ladder, (VALUES
        (interval '0', 'subscribers'), (make_interval(secs => %(gap)s), 'responders')
    ) AS wave (after, audience)
    RETURNING id
"""
# Other drills want to be called once.
UNDO = """
    WITH gone AS (DELETE FROM claims_wave WHERE id = ANY(%(waves)s) RETURNING ladder_id)
    DELETE FROM claims_ladder WHERE id IN (SELECT ladder_id FROM gone) RETURNING id
"""
WAVES = """
    SELECT id, state FROM chatbot_event
    WHERE subject = %(subject)s AND type = 'conversation.still_waiting'
"""


def ask(stage: Stage, query: str, **values: object) -> Sequence[tuple[Any, ...]]:
    url = stage.system.settings["DATABASE_URL"]
    with (
        closing(psycopg2.connect(url, connect_timeout=5)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(query, values)
        return cursor.fetchall()


def wait_until(done: Any, complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.2)


def test_all_workers_and_the_broker_die_between_two_waves_and_the_next_comes_once(
    stage: Stage,
) -> None:
    waves = [pk for (pk,) in ask(stage, LADDER, gap=GAP_SECONDS)]
    ledger = Ledger(stage.system.settings["DATABASE_URL"])
    phones = Phones(stage.system.settings["SANDBOX_URL"])
    post = Post(Planned("ladder-0", "escalation", _call()))
    platform = Platform(stage.doors, [post], 1.0)
    phones.start()
    try:
        platform.start()
        wait_until(
            lambda: post.taken_at and not ledger.open_work("ladder"), "the call was not told"
        )
        stage.system.kill_all(WORKERS)
        stage.system.kill("scheduler")
        stage.system.kill_broker_with_data()
        assert ask(stage, WAVES, subject=SUBJECT) == []
        wait_until(
            lambda: [state for _, state in ask(stage, WAVES, subject=SUBJECT)] == ["routed"],
            "the next wave did not come",
        )
        time.sleep(LOOK_ON_SECONDS)
    finally:
        platform.stop()
        arrivals = phones.stop()
        ask(stage, UNDO, waves=waves)
    [(wave, _)] = ask(stage, WAVES, subject=SUBJECT)
    for event_id in (post.event_id, wave):
        came = Counter(one.phone_id for one in arrivals if one.event_id == event_id)
        assert came == dict.fromkeys(stage.platforms, 1)
    waited = min(one.received_at for one in arrivals if one.event_id == wave) - post.taken_at
    assert waited >= GAP_SECONDS - 1


def _call() -> dict[str, Any]:
    return {
        "type": "conversation.human_requested",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "bot": {"id": "bot_a", "name": "Bot bot_a"},
            "conversation": {"id": SUBJECT},
            "message": "Is anybody there?",
        },
    }
