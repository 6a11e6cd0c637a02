"""Endpoints: where the platform is told what happened here. A secret is shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html_join

from channels_app.admin import cells
from channels_app.admin.base import NoDeletion, OrganizationScopedAdmin
from channels_app.admin.filters import PERIODS, organization_filter
from channels_app.admin.unfolded import DialogForm, OneChoice, RowForm, action
from channels_app.connections import RotationUnderWay
from channels_app.gateways import addresses
from claims.admin import outbound_words
from claims.models import Endpoint, Message
from claims.outbound import endpoints, urls
from claims.outbound.messages import enqueue_test, replay_failed

# The session keeps a new secret from the answer that made it to the page that shows it, once.
REVEALED = "endpoint_secret"


class EndpointForm(RowForm[Endpoint]):
    """An address that may be sent to, as far as that can be told from how it is written."""

    class Meta:
        labels = {"url": "URL"}

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        allowed = addresses.networks(settings.OUTBOUND_NETWORKS)
        if fault := urls.fault(url, allowed=allowed):
            raise forms.ValidationError(fault)
        return url


class SinceForm(DialogForm):
    """How far back."""

    since = forms.ChoiceField(
        choices=[(key, label) for key, (label, _) in PERIODS.items()],
        initial="24h",
        label="Made in",
        widget=OneChoice(),
    )


@admin.register(Endpoint)
class EndpointAdmin(NoDeletion, OrganizationScopedAdmin[Endpoint]):
    """Kept for ever, since messages name them; one that is not used any more is switched off."""

    form = EndpointForm
    organization_path = "connection__organization"
    list_display = ("address", "of_connection", "of_organization", "state_pill", "failing")
    list_select_related = ("connection__organization",)
    list_filter = (organization_filter("connection__organization"), "enabled")
    search_fields = ("connection__name", "url")
    ordering = ("connection__organization__name", "connection__name")
    autocomplete_fields = ("connection",)
    fixed_fields = ("connection",)
    actions_detail = ("test", "enable_again", "replay_all", "rotate", "retire")
    change_form_outer_before_template = "admin/claims/endpoint_secret.html"
    fieldsets = (
        (None, {"fields": ("url", ("connection", "of_organization", "enabled"))}),
        ("How it is", {"fields": (("state_explained", "failing", "disabled"), "told")}),
        ("What we sign with", {"fields": (("end_of_secret", "rotation"),)}),
    )
    add_fieldsets = ((None, {"fields": ("connection", "url")}),)
    readonly_fields = (
        "of_organization",
        "state_explained",
        "failing",
        "disabled",
        "told",
        "end_of_secret",
        "rotation",
    )

    of_connection = cells.link_of("connection", "Connection")
    of_organization = cells.link_of("connection.organization", "Organization")
    failing = cells.instant_of("failing_since", "Failing since")
    disabled = cells.instant_of("disabled_at", "Disabled")

    @admin.display(description="URL", ordering="url")
    def address(self, row: Endpoint) -> str:
        return cells.clipped(row.url)

    @admin.display(description="State")
    def state_pill(self, row: Endpoint) -> str:
        return cells.pill(outbound_words.endpoint_state(row))

    @admin.display(description="State")
    def state_explained(self, row: Endpoint) -> str:
        return cells.explained(outbound_words.endpoint_state(row))

    @admin.display(description="Messages")
    @cells.once
    def told(self, row: Endpoint) -> str:
        """How many there are in each state, each a link to them."""
        # Of what was delivered there is no end; the states that need a look are indexed.
        counts = (
            Message.objects.filter(endpoint=row)
            .exclude(state=Message.State.DELIVERED)
            .values_list("state")
            .annotate(number=Count("pk"))
            .order_by("state")
        )
        figures = [
            cells.anchor(
                cells.listing("claims_message", endpoint=row.pk, state=state),
                f"{number:,} {outbound_words.MESSAGE_STATES[state].label.lower()}",
            )
            for state, number in counts
        ]
        everything = cells.anchor(cells.listing("claims_message", endpoint=row.pk), "all of them")
        return format_html_join(" · ", "{}", ((one,) for one in (*figures, everything)))

    @admin.display(description="Secret")
    def end_of_secret(self, row: Endpoint) -> str:
        return cells.masked(row.secret)

    @admin.display(description="Rotation")
    def rotation(self, row: Endpoint) -> str:
        if row.previous_secret_until is None or row.previous_secret_until <= timezone.now():
            return cells.NOTHING
        until = cells.instant(row.previous_secret_until)
        return cells.spaced("under way: until", until, "the previous one signs, too")

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def save_model(
        self, request: HttpRequest, obj: Endpoint, form: ModelForm[Endpoint], change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = endpoints.create(connection_id=obj.connection_id, url=obj.url)
        obj.pk, obj.secret = made.pk, made.secret
        _reveal(request, made.pk, made.secret)

    def response_add(
        self, request: HttpRequest, obj: Endpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect(cells.page(obj))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shown = {"revealed_secret": _take_revealed(request, object_id)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @action(
        description="Send a test",
        permissions=["test"],
        url_path="test",
        icon="send",
        dialog={
            "title": "Send endpoint.test?",
            "description": "It is tried once, even where the endpoint is switched off.",
            "form_submit_text": "Send",
        },
    )
    def test(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        message = enqueue_test(endpoint=self._own(request, object_id), now=timezone.now())
        self.message_user(request, "On its way: what comes of it appears here.", messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": cells.page(message)})

    @action(
        description="Enable again",
        permissions=["enable"],
        url_path="enable",
        icon="play_arrow",
        dialog={
            "title": "Send to it again?",
            "description": "What failed meanwhile stays failed, until you replay it.",
            "form_submit_text": "Enable",
        },
    )
    def enable_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        endpoint = self._own(request, object_id)
        if endpoints.enable(endpoint_id=endpoint.pk):
            self.message_user(request, "It is told of every change again.", messages.SUCCESS)
        else:
            self.message_user(request, "It is not disabled.", messages.WARNING)
        return HttpResponse(headers={"HX-Redirect": cells.page(endpoint)})

    @action(
        description="Replay what failed",
        permissions=["change"],
        url_path="replay-failed",
        icon="replay",
        dialog={
            "title": "Send again what failed?",
            "description": "Under the same ids. What the platform has already, it ignores.",
            "form_submit_text": "Replay",
            "form_class": SinceForm,
        },
    )
    def replay_all(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        endpoint, now = self._own(request, object_id), timezone.now()
        if endpoint.disabled_at is not None:
            self.message_user(request, "It is disabled: enable it first.", messages.ERROR)
        else:
            _, period = PERIODS[form.cleaned_data["since"]]
            count = replay_failed(endpoint_id=endpoint.pk, since=now - period, now=now)
            self.message_user(request, f"Queued to be sent again: {count}.", messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": cells.page(endpoint)})

    @action(
        description="Rotate secret",
        permissions=["change"],
        url_path="rotate-secret",
        icon="key",
        dialog={
            "title": "Make a new secret?",
            "description": "It is shown once. For 24 hours we sign with the one of today, too.",
            "form_submit_text": "Rotate",
        },
    )
    def rotate(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        endpoint = self._own(request, object_id)
        try:
            secret = endpoints.rotate(endpoint_id=endpoint.pk, now=timezone.now())
        except RotationUnderWay as rotation:
            message = (
                "A rotation is under way; the secret before it signs, too, until"
                f" {rotation.until:%Y-%m-%d %H:%M} UTC. Retire that one first."
            )
            self.message_user(request, message, messages.ERROR)
        else:
            _reveal(request, endpoint.pk, secret)
        return HttpResponse(headers={"HX-Redirect": cells.page(endpoint)})

    @action(
        description="Retire previous secret",
        permissions=["retire"],
        url_path="retire-previous-secret",
        icon="key_off",
        dialog={
            "title": "Stop signing with the previous secret now?",
            "description": "A platform that still verifies with it refuses what we send.",
            "form_submit_text": "Retire",
        },
    )
    def retire(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        endpoint = self._own(request, object_id)
        if endpoints.retire_previous_secret(endpoint_id=endpoint.pk):
            self.message_user(request, "Only the newest secret signs now.", messages.SUCCESS)
        else:
            self.message_user(request, "No rotation is under way.", messages.WARNING)
        return HttpResponse(headers={"HX-Redirect": cells.page(endpoint)})

    def has_test_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Nothing leaves, not even a test, while its connection is not active."""
        endpoint = self._changeable(request, object_id)
        return endpoint is not None and endpoint.connection.active

    def has_enable_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """While we keep it disabled."""
        endpoint = self._changeable(request, object_id)
        return endpoint is not None and endpoint.disabled_at is not None

    def has_retire_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """While a rotation is under way."""
        endpoint = self._changeable(request, object_id)
        return endpoint is not None and endpoint.previous_secret_until is not None

    def _changeable(self, request: HttpRequest, object_id: str | None) -> Endpoint | None:
        endpoint = self.get_object(request, object_id) if object_id else None
        if endpoint is None or not self.has_change_permission(request, endpoint):
            return None
        return endpoint

    def _own(self, request: HttpRequest, object_id: str) -> Endpoint:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            raise Http404
        return endpoint


def _reveal(request: HttpRequest, endpoint_id: int, secret: str) -> None:
    request.session[REVEALED] = [str(endpoint_id), secret]


def _take_revealed(request: HttpRequest, endpoint_id: str) -> str:
    """The new secret of this endpoint, if it was not shown yet; afterwards it is forgotten."""
    kept_for, secret = request.session.get(REVEALED, ["", ""])
    if request.method != "GET" or kept_for != endpoint_id:
        return ""
    del request.session[REVEALED]
    return str(secret)
