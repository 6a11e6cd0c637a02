"""The sidebar, by what operators do."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

# Group, then (title, icon of Material Symbols, model as in an address, permission to see it). What
# has a slash is a page of its own, of that model.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "Events & delivery",
        (
            ("Events", "bolt", "chatbot_event", "chatbot.view_event"),
            ("Notifications", "notifications", "chatbot_notification", "chatbot.view_notification"),
            ("Deliveries", "send", "chatbot_delivery", "chatbot.view_delivery"),
            ("What if?", "psychology_alt", "chatbot_event/what_if", "chatbot.view_notification"),
            (
                "Noise advisor",
                "notifications_paused",
                "chatbot_organization/advisor",
                "chatbot.view_notification",
            ),
            ("Attempts", "sync_alt", "chatbot_attempt", "chatbot.view_attempt"),
        ),
    ),
    (
        "Conversations & runs",
        (
            ("Conversations", "forum", "claims_conversation", "claims.view_conversation"),
            ("Ladders", "stairs", "claims_ladder", "claims.view_ladder"),
            ("Unreachable bots", "phone_disabled", "claims_unreachable", "claims.view_unreachable"),
            ("Workflow runs", "play_circle", "workflows_run", "workflows.view_run"),
            (
                "Stuck policies",
                "hourglass_top",
                "workflows_stuckpolicy",
                "workflows.view_stuckpolicy",
            ),
        ),
    ),
    (
        "People",
        (
            ("Members", "group", "chatbot_membership", "chatbot.view_membership"),
            ("Roles", "badge", "chatbot_role", "chatbot.view_role"),
            ("Users", "person", "chatbot_user", "chatbot.view_user"),
            ("Organizations", "domain", "chatbot_organization", "chatbot.view_organization"),
        ),
    ),
    (
        "Sources",
        (
            ("Bots", "smart_toy", "chatbot_bot", "chatbot.view_bot"),
            ("Workflows", "account_tree", "workflows_workflow", "workflows.view_workflow"),
            ("Connections", "webhook", "chatbot_connection", "chatbot.view_connection"),
        ),
    ),
    (
        "Telling the platform",
        (
            ("Endpoints", "outbound", "claims_endpoint", "claims.view_endpoint"),
            ("Messages", "outgoing_mail", "claims_message", "claims.view_message"),
            ("Tries", "sync_alt", "claims_messageattempt", "claims.view_messageattempt"),
        ),
    ),
    (
        "Devices",
        (
            ("Devices", "smartphone", "chatbot_installation", "chatbot.view_installation"),
            ("APNs tokens", "key", "push_notifications_apnsdevice", "superuser"),
            ("FCM tokens", "key", "push_notifications_gcmdevice", "superuser"),
            ("Web Push tokens", "key", "push_notifications_webpushdevice", "superuser"),
        ),
    ),
    (
        "Security",
        (
            ("Apps", "apps", "oauth2_provider_application", "superuser"),
            ("Signed-in apps", "mobile_lock_portrait", "oauth2_provider_refreshtoken", "superuser"),
            ("Locked out", "lock", "axes_accessattempt", "superuser"),
            ("Failed sign-ins", "lock_person", "axes_accessfailurelog", "superuser"),
            ("Sign-ins", "login", "axes_accesslog", "superuser"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """unfold's `SIDEBAR.navigation`: the groups and pages that this person may see."""
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    groups = [
        {
            "title": title,
            "separator": True,
            "collapsible": False,
            "items": [
                {"title": name, "icon": icon, "link": _address(model)}
                for name, icon, model, permission in pages
                if _may(request, permission)
            ],
        }
        for title, pages in GROUPS
    ]
    found: list[dict[str, Any]] = [{"items": [overview]}, *(one for one in groups if one["items"])]
    _mark_here(request, [item for group in found for item in group["items"]])
    return found


def _mark_here(request: HttpRequest, items: list[dict[str, Any]]) -> None:
    """One page may lie within another's address: the longest is where the reader is."""
    around = [item for item in items if request.path.startswith(item["link"])]
    here = max(around, key=lambda item: len(item["link"]), default=None)
    for item in items:
        item["active"] = item is here


def _address(model: str) -> str:
    name, _, page = model.partition("/")
    return reverse(f"admin:{name}_{page or 'changelist'}")


def _may(request: HttpRequest, permission: str) -> bool:
    if permission == "superuser":
        return bool(request.user.is_superuser)
    return request.user.has_perm(permission)
