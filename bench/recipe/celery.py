"""What the Celery worker loads."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.recipe.settings")
app = Celery("recipe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery closes the database connection before and after every task unless told otherwise, and
# knows this setting by no other name. Without it every task costs a new connection as well.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000
