"""Connections: webhook endpoints. A secret is shown once; after that only its end is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone

from channels_app import connections
from channels_app.admin import cells
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin
from channels_app.admin.filters import organization_filter
from channels_app.admin.unfolded import action
from channels_app.connections import RotationUnderWay
from channels_app.models import Connection

# The session keeps a new secret from the answer that made it to the page that shows it, once.
REVEALED = "connection_secret"


def webhook_url(connection: Connection) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}/webhooks/v1/{connection.pk}"


@admin.register(Connection)
class ConnectionAdmin(NoDeletion, OrganizationScopedAdmin[Connection]):
    """Kept for ever, since events name them; what is not used any more is made inactive."""

    organization_path = "organization"
    list_display = ("name", "organization", "active", "end_of_secret", "rotation", "created")
    list_select_related = ("organization",)
    list_filter = (organization_filter(), "active")
    search_fields = ("name",)
    ordering = ("organization__name", "name")
    autocomplete_fields = ("organization",)
    fixed_fields = ("organization",)
    actions_detail = ("rotate", "retire")
    change_form_outer_before_template = "admin/chatbot/revealed.html"
    fieldsets = (
        (None, {"fields": (("name", "organization"), "active")}),
        ("For the platform", {"fields": ("url", "end_of_secret", "rotation")}),
    )
    add_fieldsets = ((None, {"fields": ("organization", "name")}),)
    readonly_fields = ("url", "end_of_secret", "rotation")

    created = cells.instant_of("created_at", "Created")

    @admin.display(description="Webhook URL")
    def url(self, row: Connection) -> str:
        return render_to_string("admin/chatbot/copy.html", {"text": webhook_url(row)})

    @admin.display(description="Secret")
    def end_of_secret(self, row: Connection) -> str:
        return cells.masked(row.secret)

    @admin.display(description="Rotation")
    def rotation(self, row: Connection) -> str:
        if row.previous_secret_until is None or row.previous_secret_until <= timezone.now():
            return cells.NOTHING
        until = cells.instant(row.previous_secret_until)
        return cells.spaced(
            "under way: the secret", cells.masked(row.previous_secret), "is accepted until", until
        )

    def save_model(
        self, request: HttpRequest, obj: Connection, form: ModelForm[Connection], change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = connections.create(organization_id=obj.organization_id, name=obj.name)
        obj.pk, obj.secret = made.pk, made.secret
        reveal(request, made.pk, made.secret)

    def response_add(
        self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect(cells.page(obj))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shown = {"revealed_secret": take_revealed(request, object_id)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @action(
        description="Rotate secret",
        permissions=["change"],
        url_path="rotate-secret",
        icon="key",
        dialog={
            "title": "Make a new secret?",
            "description": "It is shown once. The secret of today stays valid for 24 hours.",
            "form_submit_text": "Rotate",
        },
    )
    def rotate(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        connection = self._own(request, object_id)
        try:
            secret = connections.rotate(connection_id=connection.pk, now=timezone.now())
        except RotationUnderWay as rotation:
            message = (
                "A rotation is under way; the secret before it is accepted until"
                f" {rotation.until:%Y-%m-%d %H:%M} UTC. Retire that one first."
            )
            self.message_user(request, message, messages.ERROR)
        else:
            reveal(request, connection.pk, secret)
        return HttpResponse(headers={"HX-Redirect": cells.page(connection)})

    @action(
        description="Retire previous secret",
        permissions=["retire"],
        url_path="retire-previous-secret",
        icon="key_off",
        dialog={
            "title": "Stop accepting the previous secret now?",
            "description": "What the platform still signs with it will be answered 401.",
            "form_submit_text": "Retire",
        },
    )
    def retire(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        connection = self._own(request, object_id)
        if connections.retire_previous_secret(connection_id=connection.pk):
            self.message_user(request, "Only the newest secret is accepted now.", messages.SUCCESS)
        else:
            self.message_user(request, "No rotation is under way.", messages.WARNING)
        return HttpResponse(headers={"HX-Redirect": cells.page(connection)})

    def has_retire_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """While a rotation is under way."""
        connection = self.get_object(request, object_id) if object_id else None
        if connection is None or not self.has_change_permission(request, connection):
            return False
        return connection.previous_secret_until is not None

    def _own(self, request: HttpRequest, object_id: str) -> Connection:
        connection = self.get_object(request, object_id)
        if connection is None:
            raise Http404
        return connection


def reveal(request: HttpRequest, connection_id: UUID, secret: str) -> None:
    request.session[REVEALED] = [str(connection_id), secret]


def take_revealed(request: HttpRequest, connection_id: str) -> str:
    """The new secret of this connection, if it was not shown yet; afterwards it is forgotten."""
    kept_for, secret = request.session.get(REVEALED, ["", ""])
    if request.method != "GET" or kept_for != connection_id:
        return ""
    del request.session[REVEALED]
    return str(secret)
