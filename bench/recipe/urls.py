"""The recipe's one address."""

from django.urls import path

from bench.recipe.views import receive

urlpatterns = [path("webhooks/v1/<slug:name>", receive)]
