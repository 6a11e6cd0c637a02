"""POST /webhooks/v1/<connection>: HTTP in, one call of `intake`, HTTP out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error
from django.db import connection as database
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from channels_app import strict_json
from channels_app.outages import is_outage
from channels_app.problems import Fault, Problem
from channels_app.sources import Vanished
from pushbridge.problems import response
from pushbridge.webhooks import connections, intake, messages, signatures
from pushbridge.webhooks.connections import LiveConnection
from pushbridge.webhooks.intake import Receipt
from pushbridge.webhooks.messages import Message

T = TypeVar("T")

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5

_HEADERS = {
    name: f"HTTP_{name.upper().replace('-', '_')}"
    for name in (
        signatures.ID_HEADER,
        signatures.TIMESTAMP_HEADER,
        signatures.SIGNATURE_HEADER,
    )
}


@csrf_exempt
def receive(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Verify, check and store one webhook. docs/events.md lists the answers, in their order."""
    try:
        receipt = _receive(request, connection_id, timezone.now())
    except Problem as problem:
        return response(problem)
    return HttpResponse(
        b'{"id": %d}' % receipt.event_id,
        content_type="application/json",
        status=HTTPStatus.ACCEPTED if receipt.created else HTTPStatus.OK,
    )


def _receive(request: HttpRequest, connection_id: str, now: datetime) -> Receipt:
    if request.method != "POST":
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "Send webhooks by POST.", headers={"Allow": "POST"}
        )
    connection = _connection(connection_id, now)
    _check_content_type(request)
    body = _body(request)
    webhook_id = _verified(request, body, connection, now)
    message = _message(body, now)
    try:
        return _ask(
            partial(intake.take, message, connection=connection, webhook_id=webhook_id, now=now)
        )
    except Vanished as error:
        # If it is the connection that is gone, the sender shall hear so the next time.
        connections.forget(connection.id)
        raise _unavailable(error) from error


def _connection(connection_id: str, now: datetime) -> LiveConnection:
    try:
        named = UUID(connection_id)
    except ValueError:
        raise _no_such_connection() from None
    found = _ask(partial(connections.find, named, now=now))
    if found is None:
        raise _no_such_connection()
    return found


def _no_such_connection() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "There is no such connection.")


def _ask(question: Callable[[], T]) -> T:
    """PostgreSQL's answer; if it is gone, that to asking once more on a new connection.

    That PostgreSQL was restarted is noticed only when an old connection is next used; each thread
    of the web server has one, and none of them shall cost the platform a refused webhook. To store
    a message twice is to store it once.
    """
    try:
        return question()
    except Error as error:
        if not is_outage(error):
            raise
        log.warning("webhook.database_reconnect", error=str(error))
    database.close()
    try:
        return question()
    except Error as again:
        if not is_outage(again):
            raise
        raise _unavailable(again) from again


def _unavailable(error: Exception) -> Problem:
    log.error("webhook.database_unavailable", error=str(error))
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The event could not be stored just now. Send it again.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _check_content_type(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity")
    if (request.content_type, charset, encoding) != ("application/json", "utf-8", "identity"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The content must be application/json, in UTF-8, and not compressed.",
        )


def _body(request: HttpRequest) -> bytes:
    """The raw body; of one that is too large no more than is needed to know that."""
    limit: int = settings.WEBHOOK_MAX_BYTES
    try:
        body = request.read(limit + 1)
    except UnreadablePostError:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body broke off.") from None
    if len(body) > limit:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A webhook may have {limit:,} bytes at most."
        )
    return body


def _verified(request: HttpRequest, body: bytes, connection: LiveConnection, now: datetime) -> str:
    """The webhook's id, once it is sure whose it is.

    What no secret fits that we have kept for some seconds may be signed with a newer one.
    """
    check = partial(
        signatures.verify,
        headers={name: request.META.get(key, "") for name, key in _HEADERS.items()},
        body=body,
        now=now.timestamp(),
        tolerance=settings.WEBHOOK_TOLERANCE_SECONDS,
    )
    try:
        return check(keys=connection.keys)
    except signatures.Unverified as error:
        if connection.read_at == now:
            raise _unverified(error) from None
    current = _ask(partial(connections.read, connection.id, now=now))
    if current is None:
        raise _no_such_connection()
    try:
        return check(keys=current.keys)
    except signatures.Unverified as error:
        raise _unverified(error) from None


def _unverified(error: signatures.Unverified) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, f"Not verified: {error}.")


def _message(body: bytes, now: datetime) -> Message:
    """What the body says."""
    try:
        return messages.parse(strict_json.loads(body), now=now)
    except strict_json.Unreadable as error:
        faults = [Fault(error.pointer, error.detail)] if error.pointer else []
        raise Problem(HTTPStatus.BAD_REQUEST, f"Not read: {error.detail}.", faults=faults) from None
    except messages.Invalid as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "This event cannot be used.", faults=error.faults
        ) from None
    except messages.Malformed as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "A webhook is an object with type, timestamp and data.",
            faults=error.faults,
        ) from None
