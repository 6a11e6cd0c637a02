"""One task per event: who, rows, send, results."""

from celery import shared_task
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from guardian.shortcuts import get_users_with_perms
from push_notifications.exceptions import APNSError
from push_notifications.models import APNSDevice

from bench.recipe.models import Bot, Delivery, Event, Notification

TITLE = "🆘 Customer escalation: {bot}"
BODY = '"{message}"\nTap to claim and respond.'


@shared_task
def push_event(event_id: int) -> None:
    """Push one escalation to every device of every member who may respond."""
    event = Event.objects.select_related("bot", "conversation").get(pk=event_id)
    title = TITLE.format(bot=event.bot.name)
    body = BODY.format(message=event.payload["data"]["message"])
    members = list(respondents(event.bot))
    devices = APNSDevice.objects.filter(user__in=members, active=True)
    deliveries = create_rows(event, members, list(devices), title, body)
    try:
        results = devices.send_message(  # type: ignore[attr-defined] # its manager has no types
            {"title": title, "body": body},
            sound="default",
            priority=10,
            thread_id=event.conversation.external_id,
            collapse_id=event.conversation.external_id,
            category="ESCALATION",
            extra={"event_id": event.pk, "conversation_id": event.conversation.external_id},
        )
    except APNSError as error:
        # The exception does not say which devices it reached.
        Delivery.objects.filter(pk__in=deliveries.values()).update(
            status=Delivery.Status.FAILED, error=str(error)
        )
        return
    accepted = [
        deliveries[token]
        for result in results
        for token, word in result.items()
        if word == "Success"
    ]
    Delivery.objects.filter(pk__in=accepted).update(
        status=Delivery.Status.ACCEPTED, sent_at=timezone.now()
    )


def respondents(bot: Bot) -> QuerySet[User]:
    """The subscribers of the bot who hold `respond` on it."""
    permitted = get_users_with_perms(bot, only_with_perms_in=["respond"], with_group_users=False)
    return User.objects.filter(subscription__bot=bot, is_active=True, pk__in=permitted)


def create_rows(
    event: Event, members: list[User], devices: list[APNSDevice], title: str, body: str
) -> dict[str, int]:
    """A notification per member and a delivery per device; the delivery of each token."""
    with transaction.atomic():
        notifications = Notification.objects.bulk_create(
            Notification(event=event, user=member, level="critical", title=title, body=body)
            for member in members
        )
        by_user: dict[int | None, Notification] = {
            notification.user_id: notification for notification in notifications
        }
        deliveries = Delivery.objects.bulk_create(
            Delivery(notification=by_user[device.user_id], device=device) for device in devices
        )
    return {delivery.device.registration_id: delivery.pk for delivery in deliveries}
