"""`/api/v1/`, the bridge's part. `me/` and the like come first: no organization has such a slug."""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from channels_app.api.advisor import AdvisorView
from channels_app.api.audit_log import AuditLogView
from channels_app.api.channels import ChannelPreferenceView
from channels_app.api.device_tests import DeviceTestsView, DeviceTestView
from channels_app.api.devices import DevicesView, DeviceView
from channels_app.api.inbox import InboxView, NotificationView
from channels_app.api.me import MeView
from channels_app.api.preferences import (
    PreferencesView,
    SourceTypePreferenceView,
    TypePreferenceView,
)
from channels_app.api.quiet_hours import QuietHoursView
from channels_app.api.reading import InboxSummaryView, NotificationReadView, ReadAllView
from channels_app.api.receipts import ReceiptsView
from channels_app.api.snoozes import SnoozesView, SnoozeView
from channels_app.api.sources import BotsView, BotView, WorkflowsView, WorkflowView
from channels_app.api.subscriptions import BotSubscriptionView, WorkflowSubscriptionView
from channels_app.api.why import ExplanationView, RehearsalView

urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("devices/", DevicesView.as_view(), name="devices"),
    path("devices/<installation:installation>/", DeviceView.as_view(), name="device"),
    path(
        "devices/<installation:installation>/test/",
        DeviceTestsView.as_view(),
        name="device-tests",
    ),
    path(
        "devices/<installation:installation>/test/<int:test>/",
        DeviceTestView.as_view(),
        name="device-test",
    ),
    path("<slug:org>/inbox/", InboxView.as_view(), name="inbox"),
    path("<slug:org>/inbox/summary/", InboxSummaryView.as_view(), name="inbox-summary"),
    path("<slug:org>/inbox/read-all/", ReadAllView.as_view(), name="inbox-read-all"),
    path("<slug:org>/inbox/<int:notification>/", NotificationView.as_view(), name="notification"),
    path(
        "<slug:org>/inbox/<int:notification>/read/",
        NotificationReadView.as_view(),
        name="notification-read",
    ),
    path("<slug:org>/receipts/", ReceiptsView.as_view(), name="receipts"),
    path("<slug:org>/bots/<external:bot>/audit-log/", AuditLogView.as_view(), name="audit-log"),
    path("<slug:org>/preferences/", PreferencesView.as_view(), name="preferences"),
    path(
        "<slug:org>/preferences/channels/<str:channel>/",
        ChannelPreferenceView.as_view(),
        name="channel-preference",
    ),
    path(
        "<slug:org>/preferences/types/<str:event_type>/",
        TypePreferenceView.as_view(),
        name="preference",
    ),
    path(
        "<slug:org>/preferences/types/<str:event_type>/sources/<str:kind>/<external:source>/",
        SourceTypePreferenceView.as_view(),
        name="source-preference",
    ),
    path("<slug:org>/quiet-hours/", QuietHoursView.as_view(), name="quiet-hours"),
    path("<slug:org>/snoozes/", SnoozesView.as_view(), name="snoozes"),
    path("<slug:org>/snoozes/<int:snooze>/", SnoozeView.as_view(), name="snooze"),
    path("<slug:org>/bots/", BotsView.as_view(), name="bots"),
    path("<slug:org>/workflows/", WorkflowsView.as_view(), name="workflows"),
    path(
        "<slug:org>/bots/<external:bot>/subscription/",
        BotSubscriptionView.as_view(),
        name="bot-subscription",
    ),
    path(
        "<slug:org>/workflows/<external:workflow>/subscription/",
        WorkflowSubscriptionView.as_view(),
        name="workflow-subscription",
    ),
    path("<slug:org>/advisor/", AdvisorView.as_view(), name="advisor"),
    path("<slug:org>/why/", ExplanationView.as_view(), name="why"),
    path("<slug:org>/why/rehearsal/", RehearsalView.as_view(), name="rehearsal"),
    # Last, since an id may have slashes: longer addresses are looked for before these.
    path("<slug:org>/bots/<external:bot>/", BotView.as_view(), name="bot"),
    path("<slug:org>/workflows/<external:workflow>/", WorkflowView.as_view(), name="workflow"),
]
