"""Settings of the recipe, all places and secrets from the environment the benchmark gives it."""

import os

import environ

env = environ.Env()

SECRET_KEY = "only-for-the-benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.recipe.urls"
WSGI_APPLICATION = "bench.recipe.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "guardian",
    "push_notifications",
    "bench.recipe",
]
# Half of what `startproject` would put here: the webhook needs neither sessions nor messages.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
# The database lives for one run: its tables are made from the models as they are.
MIGRATION_MODULES = dict.fromkeys(
    ("auth", "contenttypes", "guardian", "push_notifications", "recipe")
)

DATABASES = {"default": env.db("DATABASE_URL") | {"CONN_MAX_AGE": None}}

CELERY_BROKER_URL = env("REDIS_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

GATEWAY_PORT = env.int("GATEWAY_PORT")
PUSH_NOTIFICATIONS_SETTINGS = {
    "CONFIG": "push_notifications.conf.AppConfig",
    "UNIQUE_REG_ID": True,
    "APPLICATIONS": {
        "ios": {
            "PLATFORM": "APNS",
            "AUTH_KEY_PATH": os.fspath(env.path("APNS_KEY_FILE")),
            "AUTH_KEY_ID": "ABC123DEFG",
            "TEAM_ID": "DEF123GHIJ",
            "TOPIC": "com.example.recipe",
            "USE_SANDBOX": False,
        }
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
