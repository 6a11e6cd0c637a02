"""/healthz: this process is alive. /readyz: everything that it needs is there, or what is not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http import HTTPStatus

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from channels_app.levels import Lane

READY_SECONDS = 2.0
# Each lane is told to sweep every SWEEP_SECONDS. So many messages that nobody took in a row mean
# that the lane has no worker.
UNTAKEN_MESSAGES = 20

OK = "ok"
# Anyone may ask, and the error names hosts and users: those are for the log.
NOT_REACHABLE = "not reachable"

logger = logging.getLogger(__name__)

# A check that hangs keeps its thread, so these are few; when all hang, nothing is ready.
_pool = ThreadPoolExecutor(8, thread_name_prefix="readyz")


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part and what is wrong with it; 503 if anything is. Takes READY_SECONDS at most."""
    parts = check(CHECKS, seconds=READY_SECONDS)
    ready = all(found == OK for found in parts.values())
    return JsonResponse(
        {"ready": ready, "parts": parts},
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def check(checks: Mapping[str, Callable[[], str]], *, seconds: float) -> dict[str, str]:
    """What each check says, all of them at once; one that hangs is left behind."""
    running = {name: _pool.submit(one) for name, one in checks.items()}
    wait(running.values(), timeout=seconds)
    return {name: _result(future, seconds) for name, future in running.items()}


def _result(future: Future[str], seconds: float) -> str:
    return future.result() if future.done() else f"no answer within {seconds:g} seconds"


def database() -> str:
    """PostgreSQL answers, and its tables are those of this version."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        logger.warning("PostgreSQL is not reachable: %s", error)
        return NOT_REACHABLE
    finally:
        connection.close()
    return f"{len(missing)} migrations are not applied" if missing else OK


def broker() -> str:
    """The broker answers, and never throws queued messages away to make room."""
    try:
        policy = _redis().info("memory")["maxmemory_policy"]
    except redis.RedisError as error:
        logger.warning("the broker is not reachable: %s", error)
        return NOT_REACHABLE
    return OK if policy == "noeviction" else f"maxmemory-policy is {policy}, not noeviction"


def lane(name: Lane) -> str:
    """The lane's workers take what they are sent."""
    try:
        waiting = _redis().llen(name.value)
    except redis.RedisError:
        return "unknown"  # The broker's own check logs why.
    return OK if waiting < UNTAKEN_MESSAGES else f"{waiting} messages that no worker takes"


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=READY_SECONDS, socket_connect_timeout=READY_SECONDS
    )


CHECKS: dict[str, Callable[[], str]] = {
    "postgresql": database,
    "broker": broker,
    "lane escalation": lambda: lane(Lane.ESCALATION),
    "lane default": lambda: lane(Lane.DEFAULT),
}
