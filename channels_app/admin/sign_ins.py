"""Attempts to sign in (django-axes): who was locked out, and since when. For superusers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.http import HttpRequest

from channels_app.admin import cells
from channels_app.admin.base import BigTable, NoAddition, SuperuserOnly
from channels_app.admin.unfolded import M

# Its own pages have to be there before they can be replaced.
import_module("axes.admin")
for axes_model in (AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(axes_model)


class SignInAdmin(NoAddition, SuperuserOnly, BigTable[M]):
    """To delete an attempt is to let that person try again."""

    list_display = ("attempted", "username", "ip_address", "path_info")
    search_fields = ("username__exact", "ip_address__exact")
    search_help_text = "The whole username or address."

    attempted = cells.instant_of("attempt_time", "When")
    fields = ("attempt_time", "username", "ip_address", "path_info", "user_agent")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.register([AccessAttempt, AccessFailureLog, AccessLog], SignInAdmin)
