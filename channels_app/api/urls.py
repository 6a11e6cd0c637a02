"""`/api/v1/`, the bridge's part. `me/` and the like come first: no organization has such a slug."""

from __future__ import annotations

from django.urls import path

from channels_app.api import paths as paths  # Registers <external:…>.
from channels_app.api.audit_log import AuditLogView
from channels_app.api.device_tests import DeviceTestsView, DeviceTestView
from channels_app.api.devices import DevicesView, DeviceView
from channels_app.api.inbox import InboxView, NotificationView
from channels_app.api.me import MeView
from channels_app.api.reading import InboxSummaryView, NotificationReadView, ReadAllView
from channels_app.api.receipts import ReceiptsView

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
]
