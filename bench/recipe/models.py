"""The same rows as Pushbridge keeps for an escalation."""

from django.contrib.auth.models import User
from django.db import models
from push_notifications.models import APNSDevice


class Connection(models.Model):
    """One webhook endpoint and its secret."""

    name = models.SlugField(unique=True)
    secret = models.CharField(max_length=100)


class Bot(models.Model):
    """What a member subscribes to; `respond` on it is guardian's object permission."""

    external_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    subscribers = models.ManyToManyField(User, through="Subscription")

    class Meta:
        permissions = [("respond", "Can respond to this bot's customers")]


class Subscription(models.Model):
    """One member wants one bot's pushes."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bot", "user"], name="subscription_once")]


class Conversation(models.Model):
    """A customer waiting for a human."""

    external_id = models.CharField(max_length=100, unique=True)
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE)
    status = models.CharField(max_length=20)
    epoch = models.PositiveIntegerField(default=1)


class Event(models.Model):
    """One webhook, kept as received; known by its connection and `webhook-id`."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    webhook_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    payload = models.JSONField()
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "webhook_id"], name="event_once")
        ]


class Notification(models.Model):
    """One event for one member, with its banner."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    level = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="notification_once")]


class Delivery(models.Model):
    """One notification for one device."""

    class Status(models.TextChoices):
        """How far it got."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        FAILED = "failed"

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE)
    device = models.ForeignKey(APNSDevice, on_delete=models.CASCADE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
