"""The Celery application: a doorbell and a clock, never the place where work is kept."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pushbridge.settings")

app = Celery("pushbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()
# By default Celery closes the database connection before and after every task, whatever
# CONN_MAX_AGE says; a new one costs PostgreSQL more than the task does. (Celery reads this name
# from the application's own configuration only.) The tasks themselves drop a connection that broke.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000_000
