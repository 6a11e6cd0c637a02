"""The Celery application: a doorbell and a clock, never the place where work is kept."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")

app = Celery("pushbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()
