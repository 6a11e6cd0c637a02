"""POST /webhooks/v1/<connection>: HTTP in, one call of `intake`, HTTP out."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from channels_app.outages import is_outage
from pushbridge.webhooks import connections, intake, messages, signatures, strict_json
from pushbridge.webhooks.connections import LiveConnection
from pushbridge.webhooks.intake import Receipt
from pushbridge.webhooks.messages import Fault, Message
from pushbridge.webhooks.problems import Problem

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
        return problem.response()
    return JsonResponse(
        {"id": receipt.event_id},
        status=HTTPStatus.ACCEPTED if receipt.created else HTTPStatus.OK,
    )


def _receive(request: HttpRequest, connection_id: str, now: datetime) -> Receipt:
    if request.method != "POST":
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "Send webhooks by POST.", headers={"Allow": "POST"}
        )
    connection = _connection(connection_id, now)
    _check_content_type(request)
    webhook_id, message = _message(request, _body(request), connection, now)
    try:
        return intake.take(message, connection=connection, webhook_id=webhook_id, now=now)
    except Error as error:
        if not is_outage(error):
            raise
        raise _unavailable(error) from error


def _connection(connection_id: str, now: datetime) -> LiveConnection:
    try:
        found = connections.find(UUID(connection_id), now=now)
    except ValueError:
        found = None
    except Error as error:
        if not is_outage(error):
            raise
        found = _find_again(UUID(connection_id), now, error)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such connection.")
    return found


def _find_again(connection_id: UUID, now: datetime, error: Error) -> LiveConnection | None:
    """Once more, on a new database connection.

    That PostgreSQL was restarted is noticed only when an old connection is next used; each thread
    of the web server has one, and none of them shall cost the platform a refused webhook.
    """
    log.warning("webhook.database_reconnect", error=str(error))
    database.close()
    try:
        return connections.find(connection_id, now=now)
    except Error as again:
        if not is_outage(again):
            raise
        raise _unavailable(again) from again


def _unavailable(error: Error) -> Problem:
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


def _message(
    request: HttpRequest, body: bytes, connection: LiveConnection, now: datetime
) -> tuple[str, Message]:
    """The webhook's id and what it says, once it is sure whose it is."""
    try:
        webhook_id = signatures.verify(
            keys=connection.keys,
            headers={name: request.META.get(key, "") for name, key in _HEADERS.items()},
            body=body,
            now=now.timestamp(),
            tolerance=settings.WEBHOOK_TOLERANCE_SECONDS,
        )
        return webhook_id, messages.parse(strict_json.loads(body), now=now)
    except signatures.Unverified as error:
        raise Problem(HTTPStatus.UNAUTHORIZED, f"Not verified: {error}.") from None
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
