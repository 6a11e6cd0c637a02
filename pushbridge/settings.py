"""Every setting of Pushbridge, in one file.

Each value comes from the environment, else from `var/env` (which `manage.py up` writes, so that
every command finds the running system), else from the default here. `docs/operations.md` lists
them.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import certifi
import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from channels_app.api.credentials import SCOPES

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
VAR_DIR = Path(env.str("PUSHBRIDGE_VAR", default=str(BASE_DIR / "var")))
if (VAR_DIR / "env").is_file():
    env.read_env(VAR_DIR / "env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. `python3 manage.py up` makes one and keeps it in var/env;"
        " elsewhere set it in the environment."
    )
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

# What a tap opens starts with this: a universal link, or the app's own scheme.
LINK_BASE = env.str("LINK_BASE", default="pushbridge://app").rstrip("/")

INSTALLED_APPS = [
    "pushbridge.apps.PushbridgeConfig",
    "claims.apps.ClaimsConfig",
    "workflows.apps.WorkflowsConfig",
    "channels_app.apps.ChannelsConfig",
    "push_notifications",
    "guardian",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_prometheus",
    "django_structlog",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "pushbridge.urls"
WSGI_APPLICATION = "pushbridge.wsgi.application"
ASGI_APPLICATION = "pushbridge.asgi.application"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        # Banners are plain text on a phone: nothing in them is ever HTML-escaped.
        "NAME": "banners",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"autoescape": False},
    },
]

# --- the truth -----------------------------------------------------------------------------------
# Who this process is to PostgreSQL: what it leased is free once it has no session left
# (channels_app/leases.py). A process that forks shares it with its children.
LEASE_HOLDER = secrets.token_hex(4)
_database = env.db("DATABASE_URL", default="postgres:///pushbridge")
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": None,
        "ATOMIC_REQUESTS": False,
        # Our statements are short and touch few rows of large tables: an index is always right for
        # them, and compiling them (JIT) never pays. PostgreSQL's defaults assume spinning disks.
        "OPTIONS": {
            # A database that does not answer is an error soon, not a thread that waits for ever.
            "connect_timeout": 5,
            "tcp_user_timeout": 15_000,
            # What we prepare (channels_app/prepared.py) is planned once, whatever its parameters.
            "options": "-c random_page_cost=1.1 -c jit=off -c plan_cache_mode=force_generic_plan",
            **_database.get("OPTIONS", {}),  # sslmode and the like; a socket's folder
            "application_name": f"pushbridge {LEASE_HOLDER}",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who knows whether an event has been overtaken by what happened since (channels_app/standing.py).
STANDING = {
    "conversation": "claims.standing.overtaken",
    "run": "workflows.standing.overtaken",
}

# --- the doorbell --------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A frozen broker may hold a caller for this long, never for ever.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "retry_on_timeout": False,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# What each lane's sweep does beside sending (`channels_app.chores`).
CHORES: dict[str, tuple[str, ...]] = {
    "escalation": ("claims.claiming.lapse", "claims.ladders.climb"),
    "default": (
        "claims.unreachable.check",
        "workflows.baselines.learn",
        "workflows.finder.find",
        "workflows.moving.tell",
    ),
}

# What other apps show on the first page of the admin (`channels_app.admin.dashboard`).
DASHBOARD_TILES = ("claims.admin.reachability.tiles",)

CELERY_TASK_ROUTES: dict[str, dict[str, str]] = {}
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=3.0)
CELERY_BEAT_SCHEDULE = {
    f"sweep-{lane}": {
        "task": "channels_app.tasks.sweep",
        "args": (lane,),
        "schedule": SWEEP_SECONDS,
        # A sweep that nobody took before the next one is worth nothing.
        "options": {"queue": lane, "expires": SWEEP_SECONDS},
    }
    for lane in ("escalation", "default")
} | {
    "forget-tokens": {
        "task": "pushbridge.tasks.forget_tokens",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"queue": "default", "expires": 3600},
    }
}

# --- who may come in -----------------------------------------------------------------------------
AUTH_USER_MODEL = "chatbot.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_TEMPLATE = "pages/locked_out.html"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"

HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
# Whoever asks these is behind the proxy that speaks TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- the door ------------------------------------------------------------------------------------
WEBHOOK_MAX_BYTES = 256 * 1024
WEBHOOK_TOLERANCE_SECONDS = 300
DATA_UPLOAD_MAX_MEMORY_SIZE = WEBHOOK_MAX_BYTES
# Large enough that a field is named whose value is far too long, instead of the whole body.
API_MAX_BYTES = 2 * 1024 * 1024

# --- the gateways --------------------------------------------------------------------------------
APNS_URL = env.str("APNS_URL", default=None)
FCM_URL = env.str("FCM_URL", default="https://fcm.googleapis.com")
GATEWAY_CA_FILE = env.str("GATEWAY_CA_FILE", default=certifi.where())
GATEWAY_NETWORKS = env.list("GATEWAY_NETWORKS", default=[])
WEBPUSH_HOSTS = env.list(
    "WEBPUSH_HOSTS",
    default=[
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
        "*.notify.windows.com",
    ],
)
SANDBOX_URL = env.str("SANDBOX_URL", default="")

# Whom the platform's own endpoints are checked against, and which private networks they may be in.
OUTBOUND_CA_FILE = env.str("OUTBOUND_CA_FILE", default=certifi.where())
OUTBOUND_NETWORKS = env.list("OUTBOUND_NETWORKS", default=[])

PUSH_APPLICATIONS_FILE = env.str("PUSH_APPLICATIONS_FILE", default="")
_APPLICATIONS: dict[str, dict[str, Any]] = (
    json.loads(Path(PUSH_APPLICATIONS_FILE).read_text()) if PUSH_APPLICATIONS_FILE else {}
)
# Ours: what django-push-notifications has no word for.
PUSH_SHAPES = {name: app.get("shape", "expo") for name, app in _APPLICATIONS.items()}
CRITICAL_ALERT_APPLICATIONS = {
    name for name, app in _APPLICATIONS.items() if app.get("critical_alerts")
}
FCM_SERVICE_ACCOUNTS = {
    name: app["service_account_path"]
    for name, app in _APPLICATIONS.items()
    if app["platform"] == "FCM"
}


def _push_application(app: dict[str, Any]) -> dict[str, Any]:
    """The django-push-notifications form of one entry of the applications file."""
    match app["platform"]:
        case "APNS":
            return {
                "PLATFORM": "APNS",
                "AUTH_KEY_PATH": app["auth_key_path"],
                "AUTH_KEY_ID": app["auth_key_id"],
                "TEAM_ID": app["team_id"],
                "TOPIC": app["topic"],
                "USE_SANDBOX": app.get("use_sandbox", False),
            }
        case "FCM":
            return {"PLATFORM": "FCM"}
        case "WP":
            return {
                "PLATFORM": "WP",
                "PRIVATE_KEY": app["private_key_path"],
                "CLAIMS": {"sub": app["subject"]},
            }
        case other:
            raise ImproperlyConfigured(
                f"{PUSH_APPLICATIONS_FILE}: platform {other!r} is none of APNS, FCM, WP"
            )


PUSH_NOTIFICATIONS_SETTINGS = {
    "CONFIG": "push_notifications.conf.AppConfig",
    "UNIQUE_REG_ID": True,
    "UPDATE_ON_DUPLICATE_REG_ID": False,
    "USER_MODEL": AUTH_USER_MODEL,
}
# Not in there as "APPLICATIONS": the library would check all key files as it is imported, and one
# broken file would keep every worker from starting. `channels_app.gateways` hands them to it.
PUSH_APPLICATIONS = {name: _push_application(app) for name, app in _APPLICATIONS.items()}

# --- API -----------------------------------------------------------------------------------------
API_USER_LIMIT = (env.int("API_USER_REQUESTS_PER_MINUTE", default=600), 60)
API_CLIENT_LIMIT = (env.int("API_CLIENT_REQUESTS_PER_MINUTE", default=12_000), 60)
API_ADDRESS_LIMIT = (env.int("API_ADDRESS_REQUESTS_PER_MINUTE", default=600), 60)
MAX_DEVICES_PER_USER = env.int("MAX_DEVICES_PER_USER", default=20)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "pushbridge.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "channels_app.api.permissions.InScope",
    ],
    "DEFAULT_PARSER_CLASSES": ["pushbridge.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "channels_app.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "pushbridge.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "pushbridge.api.errors.answer",
    "URL_FORMAT_OVERRIDE": None,
    "UNICODE_JSON": True,
}

# Tokens of our own (pushbridge/api/oauth). docs/decisions/api-tokens.md says why these values.
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "pushbridge.api.oauth.validator.Validator",
    "OIDC_ISS_ENDPOINT": PUBLIC_URL.rstrip("/"),
    "SCOPES": {scope.value: meaning for scope, meaning in SCOPES.items()},
    "DEFAULT_SCOPES": [scope.value for scope in SCOPES],
    "ALLOWED_REDIRECT_URI_SCHEMES": [
        "https",
        *env.list("OAUTH_REDIRECT_SCHEMES", default=["pushbridge"]),
    ],
    "ALLOWED_SCHEMES": ["https"],
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.int("OAUTH_ACCESS_TOKEN_SECONDS", default=3600),
    "REFRESH_TOKEN_EXPIRE_SECONDS": env.int("OAUTH_REFRESH_TOKEN_SECONDS", default=90 * 86_400),
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 30,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "refresh_token"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["none"],
    "OAUTH2_PROTECTED_RESOURCE_IDENTIFIER": f"{PUBLIC_URL.rstrip('/')}/api/",
    "OAUTH2_PROTECTED_RESOURCE_NAME": "Pushbridge",
    "OAUTH2_PROTECTED_RESOURCE_DOCUMENTATION": f"{PUBLIC_URL.rstrip('/')}/api/docs/",
    # RFC 9700, best current practice: tokens are kept as hashes, PKCE is S256 alone, and so on.
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "PKCE_REQUIRED",
            "REDIRECT_URI_MATCHING",
            "REDIRECT_URI_SCHEME",
            "REFRESH_TOKEN",
            "TOKEN_STORAGE",
        )
    },
}

# The toolkit cannot repeat a token within the grace period when it keeps hashes alone. Our
# validator gives new ones instead.
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.E001"]

# Tokens of somebody else (pushbridge/api/openid.py). Without an issuer there are none.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_AUDIENCE = env.str("OIDC_AUDIENCE", default="")
OIDC_JWKS_URL = env.str("OIDC_JWKS_URL", default="")
OIDC_ALGORITHMS = env.list("OIDC_ALGORITHMS", default=["RS256", "ES256"])
OIDC_USERNAME_CLAIM = env.str("OIDC_USERNAME_CLAIM", default="sub")

SPECTACULAR_SETTINGS = {
    "TITLE": "Pushbridge API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pushbridge.webhooks.openapi.add_door",
        "pushbridge.api.schema.complete",
        "pushbridge.api.next_steps.add_links",
        "pushbridge.api.closed_bodies.close",
    ],
    "ENUM_NAME_OVERRIDES": {
        "Level": "channels_app.api.choices.LEVELS",
        "SourceLevel": "channels_app.api.choices.SOURCE_LEVELS",
        "Channel": "channels_app.api.choices.CHANNELS",
        "SourceKind": "channels_app.api.choices.SOURCE_KINDS",
        "Outcome": "channels_app.api.answers.OUTCOMES",
        "WhyOutcome": "channels_app.api.answers.ANSWERS",
        "ConversationState": "claims.models.conversations.Conversation.State",
        "RunState": "workflows.models.Run.State",
    },
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "displayRequestDuration": True,
        "docExpansion": "none",
        "tryItOutEnabled": True,
    },
    "SWAGGER_UI_OAUTH2_CONFIG": {"usePkceWithAuthorizationCodeGrant": True},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- language, time, files -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Banners and reasons are complete in each of these; `docs/decisions/languages.md`.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Without a collected copy (tests, a first start) files are served from where they lie.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

UNFOLD = {
    "SITE_TITLE": "Pushbridge",
    "SITE_HEADER": "Pushbridge",
    "SITE_SUBHEADER": "Who was told, and why not",
    "SITE_SYMBOL": "notifications_active",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("chatbot/icon.svg"),
        }
    ],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("chatbot/admin.css")],
    "DASHBOARD_CALLBACK": "channels_app.admin.dashboard.dashboard",
    "SIDEBAR": {"navigation": "channels_app.admin.navigation.sidebar"},
}

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "pushbridge.logs.formatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
