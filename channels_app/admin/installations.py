"""Devices: the installations, and the tokens of django-push-notifications behind them."""

from __future__ import annotations

from importlib import import_module

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from push_notifications.models import APNSDevice, GCMDevice, WebPushDevice, WNSDevice

from channels_app.admin import cells
from channels_app.admin.base import (
    NoAddition,
    NoDeletion,
    OrganizationScopedAdmin,
    ReadOnlyInline,
)
from channels_app.admin.filters import AliveFilter
from channels_app.admin.unfolded import Checkboxes, M, OneChoice, RowForm
from channels_app.admin.words import DELIVERY_STATES, Tone, Word
from channels_app.models import Delivery, Installation, Privacy
from channels_app.models.rules import CHANNELS

# django-push-notifications' own pages send test messages past our pipe, and take a healthy device
# out of service when the message, or our key, is wrong.
# Their pages have to be there before they can be replaced.
import_module("push_notifications.admin")
for device_model in (APNSDevice, GCMDevice, WebPushDevice, WNSDevice):
    admin.site.unregister(device_model)

ALIVE = Word("Alive", Tone.GOOD, "It can be pushed to.")
DEAD = Word("Dead", Tone.BAD, "The push service said that its token is dead.")


@admin.display(description="State")
def alive(model_admin: object, row: Installation) -> str:
    if row.dead_since is None:
        return cells.pill(ALIVE)
    return cells.spaced(cells.pill(DEAD), "since", cells.instant(row.dead_since))


class DeliveryInline(ReadOnlyInline[Delivery, Installation]):
    """The last deliveries to a device; those of other organizations are not the reader's."""

    model = Delivery
    organization_path = "organization"
    verbose_name_plural = "Last deliveries"
    hide_title = True
    fields = ("created", "state_pill", "attempts", "reason", "title")
    readonly_fields = fields
    ordering = ("-created_at",)
    per_page = 10

    created = cells.instant_of("created_at", "Created")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("notification")

    @admin.display(description="State")
    def state_pill(self, row: Delivery) -> str:
        return cells.anchor(cells.page(row), cells.pill(DELIVERY_STATES[row.state]))

    @admin.display(description="Banner")
    def title(self, row: Delivery) -> str:
        return cells.link(row.notification, cells.clipped(row.notification.title))


class InstallationForm(RowForm[Installation]):
    muted_channels = forms.MultipleChoiceField(
        choices=CHANNELS,
        required=False,
        label="Muted: it shows nothing of",
        widget=Checkboxes(),
    )
    privacy = forms.ChoiceField(
        choices=[("", "As the member has it"), *Privacy.choices],
        required=False,
        help_text="Narrower than the member's, never wider.",
        widget=OneChoice(),
    )


@admin.register(Installation)
class InstallationAdmin(NoAddition, NoDeletion, OrganizationScopedAdmin[Installation]):
    """Apps register themselves; here they are looked at and named."""

    person_path = "user"
    form = InstallationForm
    list_display = (
        "label",
        "user",
        "platform",
        "alive",
        "os_permission",
        "critical_allowed",
        "token",
        "created",
    )
    list_select_related = ("user", "apns", "fcm", "webpush")
    list_filter = (AliveFilter, "platform", "os_permission", "critical_allowed")
    search_fields = ("user__username", "user__email", "name")
    search_help_text = "A person's username or e-mail address, or the name of a device."
    ordering = ("-registered_at",)
    inlines = (DeliveryInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "critical_allowed"),
                    ("user_link", "platform", "alive"),
                    ("token", "application", "created"),
                    ("device", "app_version"),
                )
            },
        ),
        ("What it shows", {"fields": (("muted_channels", "privacy"),)}),
        (
            "As the device tells it",
            {"fields": (("os_permission", "locale", "time_zone"),)},
        ),
    )
    readonly_fields = (
        "user_link",
        "platform",
        "alive",
        "token",
        "application",
        "created",
        "device",
        "app_version",
        "os_permission",
        "locale",
        "time_zone",
    )

    alive = alive
    created = cells.instant_of("registered_at", "Registered")
    user_link = cells.link_of("user", "Person")

    @admin.display(description="Device")
    def label(self, row: Installation) -> str:
        return row.name or row.get_platform_display()

    @admin.display(description="Token")
    def token(self, row: Installation) -> str:
        return cells.masked(_device(row).registration_id, shown=8)

    @admin.display(description="Application")
    def application(self, row: Installation) -> str:
        return cells.code(_device(row).application_id or "")

    @admin.display(description="Row of django-push-notifications")
    def device(self, row: Installation) -> str:
        device = _device(row)
        return cells.link(device, f"{device._meta.verbose_name} {device.pk}")


def _device(row: Installation) -> APNSDevice | GCMDevice | WebPushDevice:
    device = row.apns or row.fcm or row.webpush
    assert device is not None, "the database says so: installation_has_its_device"
    return device


class DeviceAdmin(NoAddition, OrganizationScopedAdmin[M]):
    """A token, masked: who has it and our key can push. To delete it is to forget the device."""

    person_path = "user"
    list_display = ("number", "user", "token", "application_id", "active", "created")
    list_select_related = ("user",)
    list_filter = ("active",)
    search_fields = ("user__username", "user__email")
    ordering = ("-pk",)
    fields = ("user_link", "token", "application_id", "active", "created", "installation_link")
    readonly_fields = fields

    created = cells.instant_of("date_created", "Registered")
    user_link = cells.link_of("user", "Person")

    @admin.display(description="Device")
    def number(self, row: Model) -> str:
        return f"{row._meta.verbose_name} {row.pk}"

    @admin.display(description="Token")
    def token(self, row: APNSDevice | GCMDevice | WebPushDevice) -> str:
        return cells.masked(row.registration_id, shown=8)

    @admin.display(description="Installation")
    @cells.once
    def installation_link(self, row: APNSDevice | GCMDevice | WebPushDevice) -> str:
        return cells.link(Installation.objects.filter(**{_kind(row): row}).first())

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def _kind(row: APNSDevice | GCMDevice | WebPushDevice) -> str:
    kinds = {APNSDevice: "apns", GCMDevice: "fcm", WebPushDevice: "webpush"}
    return kinds[type(row)]


admin.site.register([APNSDevice, GCMDevice, WebPushDevice], DeviceAdmin)
