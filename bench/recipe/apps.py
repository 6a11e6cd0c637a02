"""The recipe's only application."""

from django.apps import AppConfig
from django.conf import settings

from bench.recipe.local_gateway import send_to_local_gateway


class RecipeConfig(AppConfig):
    """Makes the sender talk to the benchmark's gateway in every process of the recipe."""

    name = "bench.recipe"
    label = "recipe"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        send_to_local_gateway(settings.GATEWAY_PORT)
