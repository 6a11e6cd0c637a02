from django.apps import AppConfig

from pushbridge import checks, logs
from pushbridge.celery import app as celery_app


class PushbridgeConfig(AppConfig):
    """The wiring. Importing it makes our Celery app the one that tasks are sent through."""

    name = "pushbridge"
    verbose_name = "Pushbridge"
    celery = celery_app

    def ready(self) -> None:
        logs.configure()
        checks.register_all()
