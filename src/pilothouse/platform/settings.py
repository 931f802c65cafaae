"""Django settings, read from the environment: the few that an operator sets are listed in docs/settings.md."""

import contextlib
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from pilothouse import __version__
from pilothouse.platform import embedded
from pilothouse.platform.places import data_folder

DATA = data_folder()
PORT = int(os.environ.get("PILOTHOUSE_PORT", "8420"))
DEBUG = False


def _secret_key() -> str:
    """Take the key from the environment, or keep one in the data folder that only its owner reads."""
    if key := os.environ.get("PILOTHOUSE_SECRET_KEY"):
        return key
    path = DATA / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # atomic: of two first starts, one key wins
        draft.unlink()
    return path.read_text().strip()


def _database(url: str) -> dict[str, Any]:
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "pilothouse.platform.postgres",
        "NAME": parts.pop("dbname", "pilothouse"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # platform/statements.py prepares; Django itself binds in the client and never does.
        "OPTIONS": {**parts, "application_name": "pilothouse", "prepare_threshold": 1},
    }


SECRET_KEY = _secret_key()
DATABASE_URL = os.environ.get("DATABASE_URL") or embedded.url(DATA)
DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "procrastinate.contrib.django",
    "pilothouse.platform",
    "pilothouse.people",
    "pilothouse.notifications",
    "pilothouse.cmdb",
    "pilothouse.tickets",
    "pilothouse.sla",
    "pilothouse.changes",
    "pilothouse.problems",
    "pilothouse.morning",
    "pilothouse.connectors",
    "pilothouse.demo",
    "pilothouse.api",
    "pilothouse.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pilothouse.platform.requests.RequestIdMiddleware",
    "pilothouse.web.security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pilothouse.people.middleware.ActorMiddleware",
    "pilothouse.web.refusals.RefusalMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pilothouse.web.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "pilothouse.platform.form_renderer.QuickWidgets"
ROOT_URLCONF = "pilothouse.urls"
WSGI_APPLICATION = "pilothouse.wsgi.application"
ASGI_APPLICATION = "pilothouse.asgi.application"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["pilothouse.people.backends.EmailBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_SAVE_EVERY_REQUEST = False
# Behind a TLS proxy (PILOTHOUSE_TLS=1) cookies are sent over TLS only and the proxy's header is believed.
TLS = os.environ.get("PILOTHOUSE_TLS", "") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
CSRF_FAILURE_VIEW = "pilothouse.web.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
ALLOWED_HOSTS = os.environ.get("PILOTHOUSE_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if TLS and host != "*"]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = f"/static/{__version__}/"
STATIC_ROOT = DATA / "static"
# Swagger UI comes with django-ninja. As an installed app it, and pydantic with it, would be imported by every process.
_NINJA = find_spec("ninja")
STATICFILES_DIRS = [("ninja", Path(_NINJA.origin).parent / "static" / "ninja")] if _NINJA and _NINJA.origin else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if __version__.endswith("dev") else 3600

# Attachments lie outside any web root, named by their hash.
ATTACHMENTS = DATA / "attachments"
ATTACHMENT_MAX_BYTES = int(os.environ.get("PILOTHOUSE_ATTACHMENT_MAX_MB", "25")) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # a selection of 1,000 tickets, each a field
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
AUTO_CLOSE_DAYS = int(os.environ.get("PILOTHOUSE_AUTO_CLOSE_DAYS", "7"))

# Looking for what keeps coming back: the hour (UTC) of the nightly look, or "never"; and over how many days it looks.
_MINING_HOUR = os.environ.get("PILOTHOUSE_MINING_HOUR", "3")
MINING_HOUR = None if _MINING_HOUR == "never" else int(_MINING_HOUR) % 24
MINING_DAYS = max(1, int(os.environ.get("PILOTHOUSE_MINING_DAYS", "400")))

# How people are told outside these pages (notifications/mailer.py, notifications/outgoing.py). The address of the mail server may hold
# a password: it is never shown or logged.
SMTP_URL = os.environ.get("PILOTHOUSE_SMTP_URL", "")
MAIL_FROM = os.environ.get("PILOTHOUSE_MAIL_FROM", "Pilothouse <pilothouse@localhost>")
PUBLIC_URL = os.environ.get("PILOTHOUSE_URL", f"http://localhost:{PORT}").rstrip("/")
WEBHOOK_HOSTS = frozenset(host.strip().lower() for host in os.environ.get("PILOTHOUSE_WEBHOOK_HOSTS", "").split(",") if host.strip())
WEBHOOK_PLAIN = os.environ.get("PILOTHOUSE_WEBHOOK_PLAIN", "") == "1"

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("PILOTHOUSE_LOG", "WARNING")},
}
