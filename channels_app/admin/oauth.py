"""Apps that take tokens of ours, and where people are signed in with one. For superusers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from channels_app.admin import cells
from channels_app.admin.base import BigTable, NoAddition, OrganizationScopedAdmin, SuperuserOnly
from channels_app.admin.unfolded import RowForm

# Its own pages have to be there before they can be replaced; those of codes and of single access
# tokens say nothing that the page of a sign-in does not.
import_module("oauth2_provider.admin")
for oauth_model in (AccessToken, Application, Grant, IDToken, RefreshToken):
    admin.site.unregister(oauth_model)


class AppForm(RowForm[Any]):
    """An app without a secret, which comes with a code: no other is safe on a phone."""

    class Meta:
        model = Application
        fields = ("name", "redirect_uris")
        labels = {"redirect_uris": "Redirect addresses"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.client_type = Application.CLIENT_PUBLIC
        self.instance.authorization_grant_type = Application.GRANT_AUTHORIZATION_CODE
        self.instance.client_secret = ""
        self.instance.hash_client_secret = False
        if "name" in self.fields:
            self.fields["name"].required = True
            self.fields["name"].help_text = "People see it on the page that asks them."
            schemes = ", ".join(settings.OAUTH2_PROVIDER["ALLOWED_REDIRECT_URI_SCHEMES"])
            self.fields["redirect_uris"].help_text = (
                "Where the app is sent back to, such as pushbridge://oauth; several are separated"
                f" by spaces. Allowed schemes: {schemes} (OAUTH_REDIRECT_SCHEMES)."
            )


@admin.register(Application)
class AppAdmin(SuperuserOnly, OrganizationScopedAdmin[Any]):
    """To delete an app is to sign everybody out of it."""

    form = AppForm
    list_display = ("name", "client", "redirect_uris", "since")
    search_fields = ("name", "client_id")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "redirect_uris")}),
        ("For the app's developers", {"fields": ("client",)}),
    )
    add_fieldsets = ((None, {"fields": ("name", "redirect_uris")}),)
    readonly_fields = ("client",)

    since = cells.instant_of("created", "Registered")

    @admin.display(description="Client id")
    def client(self, row: Any) -> str:
        return render_to_string("admin/chatbot/copy.html", {"text": row.client_id})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.save()


@admin.register(RefreshToken)
class SignedInAppAdmin(NoAddition, SuperuserOnly, BigTable[Any]):
    """To delete one is to sign its person out there, at once."""

    list_display = ("person", "app", "used")
    list_select_related = ("user", "application")
    search_fields = ("user__username__exact", "user__email__exact")
    search_help_text = "The whole username or e-mail address of a person."
    fields = ("person", "app", "used")
    readonly_fields = fields

    person = cells.link_of("user", "Person")
    app = cells.link_of("application", "App")
    used = cells.instant_of("created", "Refreshed last")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that still work: each is the last link of a chain."""
        return super().get_queryset(request).filter(revoked=None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj.revoke()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            row.revoke()
