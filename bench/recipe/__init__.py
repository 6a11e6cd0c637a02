"""The obvious recipe: what Pushbridge is measured against.

A small Django project as a competent team would write it from the documentation of its parts:
gunicorn, a webhook view, a Celery task per event after the commit, and django-push-notifications
called as it is. It writes the same rows as Pushbridge, to the same PostgreSQL, with the same
broker. It is written to be fair: bulk inserts, persistent database connections, results ignored,
one query for the members, one call of the sender per event.
"""

from bench.recipe.celery import app as celery_app

__all__ = ["celery_app"]
