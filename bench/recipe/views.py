"""The webhook: verify, store, enqueue after the commit."""

from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError

from bench.recipe.models import Bot, Connection, Conversation, Event
from bench.recipe.tasks import push_event


@csrf_exempt
@require_POST
def receive(request: HttpRequest, name: str) -> JsonResponse:
    """202 with the event's id, 200 for a repeated `webhook-id`, 401 for a wrong signature."""
    connection = get_object_or_404(Connection, name=name)
    try:
        payload = Webhook(connection.secret).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return JsonResponse({"detail": "signature"}, status=401)
    event, created = store(connection, request.headers["webhook-id"], payload)
    return JsonResponse({"id": event.pk}, status=202 if created else 200)


def store(connection: Connection, webhook_id: str, payload: dict[str, Any]) -> tuple[Event, bool]:
    """Keep the event and its conversation's state once; the task follows the commit."""
    data = payload["data"]
    bot = get_object_or_404(Bot, external_id=data["bot"]["id"])
    with transaction.atomic():
        conversation, _ = Conversation.objects.update_or_create(
            external_id=data["conversation"]["id"], defaults={"bot": bot, "status": "waiting"}
        )
        event, created = Event.objects.get_or_create(
            connection=connection,
            webhook_id=webhook_id,
            defaults={
                "type": payload["type"],
                "occurred_at": payload["timestamp"],
                "payload": payload,
                "bot": bot,
                "conversation": conversation,
            },
        )
        if created:
            transaction.on_commit(partial(push_event.delay, event.pk))
    return event, created
