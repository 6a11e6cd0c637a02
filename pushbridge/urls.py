from django.contrib import admin
from django.urls import include, path

from pushbridge.api import pages
from pushbridge.api.oauth.views import SignInView, SignOutView
from pushbridge.health import healthz, readyz

urlpatterns = [
    path("webhooks/", include("pushbridge.webhooks.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/schema/", pages.document, name="api-schema"),
    path("api/docs/", pages.reference, name="api-docs"),
    path("api/docs/try/", pages.TrialView.as_view(), name="api-trial"),
    path("api/v1/", include("pushbridge.api.urls")),
    path("", include("pushbridge.api.oauth.urls")),
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("admin/", admin.site.urls),
]

handler400 = "pushbridge.api.errors.bad_request"
handler404 = "pushbridge.api.errors.not_found"
handler500 = "pushbridge.api.errors.server_error"
