"""All settings of the site. Each is read from the environment or `.env` and has a working default: SQLite, the
in-memory channel layer, CPU engines. `.env.example` documents them."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dsm_site import backends, environment, logs
from dsm_site.environment import BASE_DIR, env
from dsm_site.proxy_headers import trusted_proxies
from speech.llm.model_file import configured_models

VERSION = environment.VERSION
BUILD: str = env.str("BUILD", default="")
STARTED = datetime.now(UTC)

# --- Address --------------------------------------------------------------------------------------------------

HOST: str = env.str("HOST", default="127.0.0.1")
PORT: int = env.int("PORT", default=8000)
SITE_NAME: str = env.str("SITE_NAME", default="DSM Speech")
SITE_URL: str = env.str("SITE_URL", default=f"http://{HOST}:{PORT}").rstrip("/")
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).absolute()
DATA_DIR.mkdir(parents=True, exist_ok=True)

IS_HTTPS = SITE_URL.startswith("https://")
DEBUG: bool = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=sorted({urlsplit(SITE_URL).hostname or HOST, "127.0.0.1", "localhost", "[::1]"})
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
SECRET_KEY: str = env.str("SECRET_KEY", default="") or environment.generated_secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- Apps and middleware --------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "whitenoise.runserver_nostatic",
    "accounts",
    "speech",
    "webhooks",
    "operations",
    "inference",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "corsheaders",
    "channels",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.humanize",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "dsm_site.default_headers.default_headers",
    "dsm_site.api_errors.json_errors",
    "dsm_site.nul_characters.reject_nul",
    "operations.health.middleware.ProbeHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "dsm_site.nul_characters.RejectNulInForms",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.time_zone.TimeZoneMiddleware",
    "accounts.approvals.middleware.ApprovalRequiredMiddleware",
    "accounts.form_limit.FormLimitMiddleware",
]

ROOT_URLCONF = "dsm_site.urls"
ASGI_APPLICATION = "dsm_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.accounts",
            ],
            "builtins": ["dsm_site.template_tags"],
        },
    }
]

# --- Database and Redis ---------------------------------------------------------------------------------------

DATABASES = {"default": backends.database(env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL", default="")
REDIS_PREFIX: str = env.str("REDIS_PREFIX", default="dsm")
CHANNEL_LAYERS = {"default": backends.channel_layer(REDIS_URL, REDIS_PREFIX)}
CACHES = {"default": backends.cache(REDIS_URL, REDIS_PREFIX)}

# --- Static files: served directly, without a build or collectstatic; browsers revalidate ----------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
WHITENOISE_AUTOREFRESH = DEBUG

# --- Accounts -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "live"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "accounts.signup.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "change_password": "accounts.profile.forms.PasswordForm",
    "signup": "accounts.signup.neutral_forms.SignUpForm",
    "reset_password": "accounts.signup.neutral_forms.PasswordResetForm",
}
# Without a mail server, a confirmation link could not be delivered. Only if confirmation is mandatory does sign-up not
# reveal which addresses have an account: allauth sends either a link or an email that says so.
SENDS_EMAIL = bool(env.str("EMAIL_URL", default=""))
ACCOUNT_EMAIL_VERIFICATION: str = env.str("ACCOUNT_EMAIL_VERIFICATION", default="mandatory" if SENDS_EMAIL else "none")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before an address or two-factor authentication is changed
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "none"  # no address is verified then
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS  # browsers themselves allow it on localhost only
# allauth's rate limits and those of the API are on by default; `RATE_LIMITS=off` is for load tests. docs/security.md
# lists allauth's. Those of attempts and emails differ from its own, so that no user can lock another out.
RATE_LIMITS: bool = env.bool("RATE_LIMITS", default=True)
ACCOUNT_RATE_LIMITS: Any = {
    "login_failed": "5/5m/key",  # of passwords, by account and client; of codes, by account, once its password is right
    "login_failed_by_client": "10/m/ip",
    "reset_password": "20/m/ip",
    "reset_password_email": "5/h/key",  # by account, without an error: the links in the emails already sent work
}
if not RATE_LIMITS:
    ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False

SIGNUP: str = env.str("SIGNUP", default="open")
if SIGNUP not in ("open", "invitation", "closed"):
    raise ImproperlyConfigured(f"SIGNUP is {SIGNUP!r}; it must be open, invitation or closed.")
SIGNUP_EMAIL_DOMAINS: list[str] = [d.lower() for d in env.list("SIGNUP_EMAIL_DOMAINS", default=[])]
FIRST_USER_IS_ADMIN: bool = env.bool("FIRST_USER_IS_ADMIN", default=True)
NOTIFY_ADMINS_OF_SIGNUPS: bool = env.bool("NOTIFY_ADMINS_OF_SIGNUPS", default=False)
NOTIFY_USERS_OF_DECISIONS: bool = env.bool("NOTIFY_USERS_OF_DECISIONS", default=True)
ADMIN_CONTACT: str = env.str("ADMIN_CONTACT", default="")

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default=f"speech@{urlsplit(SITE_URL).hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10  # seconds; a request of an administrator waits for the mail server

# --- Tokens -------------------------------------------------------------------------------------------------------

JWT_ALGORITHM: str = env.str("JWT_ALGORITHM", default="HS256")
JWT_SECRET: str = env.str("JWT_SECRET", default="")
JWT_SECRET_FALLBACKS: list[str] = env.list("JWT_SECRET_FALLBACKS", default=[])
JWT_KEY_FILE: str = env.str("JWT_KEY_FILE", default="")
JWT_KEY_FILE_FALLBACKS: list[str] = env.list("JWT_KEY_FILE_FALLBACKS", default=[])
ACCESS_TOKEN_MINUTES: int = env.int("ACCESS_TOKEN_MINUTES", default=15)
REFRESH_TOKEN_DAYS: int = env.int("REFRESH_TOKEN_DAYS", default=30)

PUBLIC_TOKEN: str = env.str("PUBLIC_TOKEN", default="public_token")
PUBLIC_TOKEN_EMAIL: str = env.str("PUBLIC_TOKEN_EMAIL", default="")  # empty: the public token is rejected

TRUSTED_ISSUER: str = env.str("TRUSTED_ISSUER", default="")
TRUSTED_ISSUER_AUDIENCE: str = env.str("TRUSTED_ISSUER_AUDIENCE", default="")
TRUSTED_ISSUER_JWKS_URL: str = env.str("TRUSTED_ISSUER_JWKS_URL", default="")
TRUSTED_ISSUER_ALGORITHM: str = env.str("TRUSTED_ISSUER_ALGORITHM", default="EdDSA")
BETTER_AUTH_SECRET: str = env.str("BETTER_AUTH_SECRET", default="")
BETTER_AUTH_URL: str = env.str("BETTER_AUTH_URL", default="")

# --- Security -------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz?|ready|metrics)$"]  # requested directly, not through the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = trusted_proxies(env.list("TRUSTED_PROXIES", default=[]))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Speech ---------------------------------------------------------------------------------------------------

STT_ENGINE: list[str] = env.list("STT_ENGINE", default=["auto"])  # all run side by side
STT_SLOTS: int = env.int("STT_SLOTS", default=0)  # per engine; 0: automatic
TTS_ENGINE: list[str] = env.list("TTS_ENGINE", default=["piper", "espeak"])
TTS_SLOTS: int = env.int("TTS_SLOTS", default=0)  # per engine; 0: automatic
METRICS_PORT: str = env.str("METRICS_PORT", default="")  # of an inference process: [address:]port
STREAMS_PER_USER: int = env.int("STREAMS_PER_USER", default=3)
PROGRAM_STREAMS_PER_USER: int = env.int("PROGRAM_STREAMS_PER_USER", default=20)
CONNECTIONS_PER_ADDRESS: int = env.int("CONNECTIONS_PER_ADDRESS", default=100)  # 0: unlimited
API_REQUESTS_PER_MINUTE: int = env.int("API_REQUESTS_PER_MINUTE", default=600)
TICKETS_PER_MINUTE: int = env.int("TICKETS_PER_MINUTE", default=60)

try:
    LLM_MODELS = configured_models(
        env.str("LLM_URL", default=""),
        env.str("LLM_MODEL", default=""),
        env.str("LLM_API_KEY", default=""),
        env.str("LLM_FILE", default=""),
        os.environ,
    )
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
LLM_DISCOVER: bool = env.bool("LLM_DISCOVER", default=True)
TALK_MAX_MINUTES: int = env.int("TALK_MAX_MINUTES", default=60)  # of a conversation; 0: no limit
TALK_IDLE_MINUTES: int = env.int("TALK_IDLE_MINUTES", default=10)  # without speech; 0: no limit

WEBHOOKS_TO_PRIVATE_ADDRESSES: bool = env.bool("WEBHOOKS_TO_PRIVATE_ADDRESSES", default=False)

# --- Retention and quotas; 0: unlimited ------------------------------------------------------------------------

RECORD_AUDIO: bool = env.bool("RECORD_AUDIO", default=True)
AUDIO_DIR = Path(env.str("AUDIO_DIR", default=str(DATA_DIR / "audio"))).absolute()
RETENTION_DAYS: int = env.int("RETENTION_DAYS", default=0)
AUDIO_RETENTION_DAYS: int = env.int("AUDIO_RETENTION_DAYS", default=0)
DELETED_DAYS: int = env.int("DELETED_DAYS", default=7)
QUOTA_HOURS: int = env.int("QUOTA_HOURS", default=0)
QUOTA_AUDIO_MB: int = env.int("QUOTA_AUDIO_MB", default=0)

UPLOAD_MAX_MB: int = env.int("UPLOAD_MAX_MB", default=2000)
UPLOAD_MAX_HOURS: float = env.float("UPLOAD_MAX_HOURS", default=6)
UPLOAD_PENDING_MB: int = env.int("UPLOAD_PENDING_MB", default=3 * UPLOAD_MAX_MB)  # of an account
DISK_RESERVE_MB: int = env.int("DISK_RESERVE_MB", default=0)  # 0: automatic (`speech/disk_space.py`)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.credentials.drf.TokenAuthentication",
        "accounts.credentials.drf.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.credentials.drf.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.conventions.json_parser.JsonParser"],
    "DEFAULT_SCHEMA_CLASS": "api.conventions.schema.Schema",
    "NUM_PROXIES": 0,  # see TRUSTED_PROXIES
    "DEFAULT_THROTTLE_RATES": {
        "tickets": f"{TICKETS_PER_MINUTE}/min",
        "refresh": "60/min",
        "programs": f"{API_REQUESTS_PER_MINUTE}/min" if RATE_LIMITS else None,
        "forms": "120/min" if RATE_LIMITS else None,
        "webhooks": "10/min" if RATE_LIMITS else None,
        "browsers": "6000/min" if RATE_LIMITS else None,  # 200 MB/s in the upload page's parts of 2 MiB
    },
}

SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME,
    "VERSION": "1",
    "DESCRIPTION": "Sessions, uploads, engines, voices and accounts of this site.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.conventions.schema.only_this_api"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "api.conventions.schema.with_token"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {"UserStatus": "accounts.models.User.Status"},
    "COMPONENT_SPLIT_REQUEST": True,
}

# Pages of other origins must send a token: browsers don't send this site's cookies with their requests.
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(v1|api)/|^/inference$"
CORS_EXPOSE_HEADERS = ["ETag", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]

# --- Language, time, logs ---------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE: str = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

try:
    LOGGING = logs.configuration(
        env.str("LOG_STYLE", default=logs.default_style()),
        env.str("LOG_FILE", default=""),
        env.str("LOG_LEVEL", default=""),
    )
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None

OTEL_ENDPOINT: str = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

if env.bool("PRODUCTION", default=False) and not IS_HTTPS:
    raise ImproperlyConfigured(
        f"PRODUCTION is on but SITE_URL is {SITE_URL}. Browsers allow microphone access only over HTTPS: "
        "set SITE_URL to the site's https address."
    )
