"""Tenants and the people in them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models import Q


class User(AbstractUser):
    """A person; a member of any number of organizations, with devices that are theirs alone."""

    # Empty until somebody chooses; the first device that registers tells its own.
    locale = models.CharField(
        max_length=16, blank=True, help_text="Language of their banners. Empty: English."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name, of their quiet hours too. Empty: UTC."
    )


class Privacy(models.TextChoices):
    """How much of a banner travels through push services and stands on a lock screen."""

    FULL = "full", "Full text"
    REDACTED = "redacted", "Redacted: the title only"
    IDS = "ids", "Ids only: the app fetches the text"


class Organization(models.Model):
    """A tenant: nothing of one is ever visible to, or pushed to, another."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=64, help_text="In every link, after /o/.")
    claim_window = models.DurationField(
        default=timedelta(minutes=15),
        help_text="How long a customer's call may still ring after it came in.",
    )
    banners_per_minute = models.PositiveSmallIntegerField(
        default=20,
        null=True,
        blank=True,
        help_text="What comes beyond it on one device becomes one banner that counts. Escalations"
        " always come. Empty: no limit.",
    )
    privacy = models.CharField(
        max_length=8,
        choices=Privacy.choices,
        default=Privacy.FULL,
        help_text="Members and their devices may narrow it, not widen it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="organization_slug_unique"),
            models.CheckConstraint(
                condition=Q(claim_window__gt=timedelta()), name="organization_claim_window_positive"
            ),
            models.CheckConstraint(
                condition=Q(banners_per_minute=None) | Q(banners_per_minute__gte=1),
                name="organization_banners_per_minute_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named set of permissions of an organization, held by members through its group.

    The group is django-guardian's hook: an object permission given to it is given to the role.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="roles")
    name = models.CharField(max_length=100)
    group = models.OneToOneField(Group, models.CASCADE, related_name="role")
    responds_to_new_bots = models.BooleanField(
        default=False,
        help_text="Give this role chatbot.respond on each bot when the platform first names it.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="role_name_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.organization})"


class Membership(models.Model):
    """One person in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    active = models.BooleanField(default=True)
    external_id = models.CharField(
        max_length=128,
        blank=True,
        help_text="The platform's id of this person, by which it says who did something.",
    )
    privacy = models.CharField(
        max_length=8,
        choices=Privacy.choices,
        blank=True,
        help_text="Narrower than the organization's. Empty: the organization's.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_unique"),
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                condition=~Q(external_id=""),
                name="membership_external_id_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"
