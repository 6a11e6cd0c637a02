from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from pushbridge.api.oauth.views import SignInView, SignOutView
from pushbridge.health import healthz, readyz

urlpatterns = [
    path("webhooks/", include("pushbridge.webhooks.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path(
        "api/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="api-schema"
    ),
    path(
        "api/docs/",
        SpectacularSwaggerView.as_view(url_name="api-schema", permission_classes=[AllowAny]),
        name="api-docs",
    ),
    path("api/v1/", include("pushbridge.api.urls")),
    path("", include("pushbridge.api.oauth.urls")),
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("admin/", admin.site.urls),
]

handler400 = "pushbridge.api.errors.bad_request"
handler404 = "pushbridge.api.errors.not_found"
handler500 = "pushbridge.api.errors.server_error"
