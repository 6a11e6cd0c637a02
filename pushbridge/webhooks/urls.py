from django.urls import path

from pushbridge.webhooks.views import receive

app_name = "webhooks"
urlpatterns = [
    path("v1/<str:connection_id>", receive, name="receive"),
]
