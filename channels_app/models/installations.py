"""An app (or browser) installation of a member: what a delivery goes to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice

from channels_app.models.organizations import Privacy
from channels_app.models.rules import CHANNELS


class Installation(models.Model):
    """One installed app on one device, of one person.

    The token itself is a row of django-push-notifications, one of three kinds; this row says what
    Pushbridge must know beside it.
    """

    class Platform(models.TextChoices):
        APNS = "apns", "Apple (APNs)"
        FCM = "fcm", "Android (FCM)"
        WEBPUSH = "webpush", "Browser (Web Push)"

    class Permission(models.TextChoices):
        GRANTED = "granted"
        PROVISIONAL = "provisional", "Provisional: delivered quietly"
        DENIED = "denied"
        UNKNOWN = "unknown"

    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        editable=False,
        help_text="Chosen by the app when it was installed.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="installations")
    platform = models.CharField(max_length=8, choices=Platform.choices)
    apns = models.OneToOneField(
        APNSDevice, models.CASCADE, null=True, blank=True, related_name="installation"
    )
    fcm = models.OneToOneField(
        GCMDevice, models.CASCADE, null=True, blank=True, related_name="installation"
    )
    webpush = models.OneToOneField(
        WebPushDevice, models.CASCADE, null=True, blank=True, related_name="installation"
    )
    secret_hash = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="SHA-256 of the installation's secret: knowing its token is not enough.",
    )
    name = models.CharField(max_length=100, blank=True)
    app_version = models.CharField(max_length=32, blank=True)
    locale = models.CharField(max_length=35, blank=True, help_text="As the device tells it.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="As the device tells it.")
    os_permission = models.CharField(
        max_length=12, choices=Permission.choices, default=Permission.UNKNOWN
    )
    critical_allowed = models.BooleanField(
        default=False, help_text="The person allowed critical alerts on this device."
    )
    muted_channels = ArrayField(
        models.CharField(max_length=16, choices=CHANNELS),
        default=list,
        blank=True,
        help_text="Channels that this device shows nothing of.",
    )
    privacy = models.CharField(
        max_length=8,
        choices=Privacy.choices,
        blank=True,
        help_text="Narrower than the member's. Empty: the member's.",
    )
    dead_since = models.DateTimeField(
        null=True, blank=True, help_text="The push service said that this token is dead."
    )
    registered_at = models.DateTimeField(
        auto_now_add=True, help_text="The last time that the app told its token."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(platform="apns", apns__isnull=False, fcm=None, webpush=None)
                    | Q(platform="fcm", apns=None, fcm__isnull=False, webpush=None)
                    | Q(platform="webpush", apns=None, fcm=None, webpush__isnull=False)
                ),
                name="installation_has_its_device",
            ),
        ]
        indexes = [
            # Serves the audience: the living devices of a set of people.
            models.Index(fields=["user"], condition=Q(dead_since=None), name="installation_living"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_platform_display()} of {self.user}"
