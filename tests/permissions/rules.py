"""Who has access to each URL and WebSocket."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from accounts.scopes import ADMIN, ANY_SCOPE, BROWSER_ONLY, SESSIONS, STT, TTS
from tests.permissions.roles import ADMINS, ANONYMOUS, UNAPPROVED, Role

OK, LOGIN, DENIED, FORBIDDEN, NOT_FOUND = "ok", "redirect to login or status page", "401 or not approved", "403", "404"
"""Outcomes of a request."""


class Who(Enum):
    EVERYONE = auto()
    EVERYONE_BUT_UNAPPROVED_BROWSERS = auto()
    ACCOUNTS = auto()
    APPROVED = auto()
    OWNER = auto()
    """Others do not find the object."""
    ADMINS = auto()


@dataclass(frozen=True)
class Rule:
    who: Who
    is_api: bool = False
    """It authenticates tokens, and denies access with JSON. A page ignores tokens and redirects to the login page."""
    scope: str = BROWSER_ONLY
    """What a token needs."""
    wants_api_token: bool = False
    """It refuses access tokens, and those that others issue."""
    refuses_public_token: bool = False
    exists: bool = True

    def outcome(self, role: Role) -> str:
        if self.who is Who.EVERYONE:
            return OK if self.exists else NOT_FOUND
        if self.who is Who.EVERYONE_BUT_UNAPPROVED_BROWSERS:
            return DENIED if role.account in UNAPPROVED and not role.is_program else OK
        if self.account_of(role) == ANONYMOUS:
            return DENIED if self.is_api else LOGIN
        if role.account in UNAPPROVED and self.who is not Who.ACCOUNTS:
            return DENIED if self.is_api else LOGIN
        if role.scopes is not None and self.scope not in role.scopes | {ANY_SCOPE}:
            return FORBIDDEN
        if self.wants_api_token and role.is_program and not role.name.startswith("API token"):
            return FORBIDDEN
        if self.refuses_public_token and role.account == "public":
            return FORBIDDEN
        if self.who is Who.ADMINS and role.account not in ADMINS:
            return FORBIDDEN
        if (self.who is Who.OWNER and role.account != "owner") or not self.exists:
            return NOT_FOUND
        return OK

    def account_of(self, role: Role) -> str:
        return ANONYMOUS if role.is_program and not self.is_api else role.account


public = Rule(Who.EVERYONE)
open_api = Rule(Who.EVERYONE_BUT_UNAPPROVED_BROWSERS, is_api=True)
account_page = Rule(Who.ACCOUNTS)
"""For every account, approved or not."""
page = Rule(Who.APPROVED)
own_page = Rule(Who.OWNER)
admin_page = Rule(Who.ADMINS)
browser_only = Rule(Who.APPROVED, is_api=True)


def api(scope: str) -> Rule:
    return Rule(Who.APPROVED, is_api=True, scope=scope)


def own_api(scope: str) -> Rule:
    return Rule(Who.OWNER, is_api=True, scope=scope)


def admin_api(scope: str) -> Rule:
    return Rule(Who.ADMINS, is_api=True, scope=scope)


def missing(rule: Rule) -> Rule:
    """What the example URL names does not exist."""
    return replace(rule, exists=False)


URLS = {
    # operations
    "health": public,
    "healthz": public,
    "ready": public,
    "info": public,
    "metrics": public,
    "overview": admin_api(ADMIN),
    "operations": admin_page,
    "end_stream": admin_page,
    # pages
    "home": public,
    "asyncapi": public,
    "status": public,
    "live": page,
    "talk": page,
    "voices": page,
    "voices_file": missing(page),
    "sessions": page,
    "data_export": page,
    "download_all": page,
    "upload": page,
    "sessions_bulk": page,
    "sessions_undo": page,
    "trash": page,
    "sessions_delete_permanently": page,
    "session_restore": own_page,
    "session": own_page,
    "transcripts": page,
    "transcript": own_page,
    "session_flac": own_page,
    "session_wav": own_page,
    "session_peaks": own_page,
    "session_details": own_page,
    "correct": own_page,
    "session_replace": own_page,
    "correction_undo": own_page,
    "session_delete": own_page,
    "share": own_page,
    "share_revoke": own_page,
    "shared": public,
    "shared_flac": public,
    "shared_wav": public,
    "shared_peaks": public,
    "tickets": browser_only,
    # tokens
    "access_token": replace(api(ANY_SCOPE), wants_api_token=True),
    "refresh_token": open_api,
    "revoke_token": open_api,
    "jwks": public,
    # api
    "api_schema": open_api,
    "api_docs": page,
    "api_me": replace(api(ANY_SCOPE), refuses_public_token=True),
    "api_users": admin_api(ADMIN),
    "api_user": admin_api(ADMIN),
    "api_user_approve": admin_api(ADMIN),
    "api_user_reject": admin_api(ADMIN),
    "api_sessions": api(SESSIONS),
    "api_session": own_api(SESSIONS),
    "api_session_words": own_api(SESSIONS),
    "api_session_export": own_api(SESSIONS),
    "api_session_audio": own_api(SESSIONS),
    "api_uploads": api(SESSIONS),
    "api_upload": own_api(SESSIONS),
    "api_upload_content": own_api(SESSIONS),
    "api_upload_accept": own_api(SESSIONS),
    "api_personas": api(SESSIONS),
    "api_persona": own_api(SESSIONS),
    "api_webhooks": api(SESSIONS),
    "api_webhook": own_api(SESSIONS),
    "api_engines": api(ANY_SCOPE),
    "api_voices": api(ANY_SCOPE),
    "api_not_found": missing(api(ANY_SCOPE)),
    # other protocols
    "openai_client_secrets": api(STT),
    "openai_models": api(ANY_SCOPE),
    "openai_model": missing(api(ANY_SCOPE)),
    "openai_transcriptions": api(STT),
    "openai_translations": api(STT),
    "openai_speech": api(TTS),
    "openai_speech_models": api(ANY_SCOPE),
    "openai_voices": api(TTS),
    "asr_streaming": api(STT),
    "tts_streaming": api(TTS),
    "tts": api(TTS),
    "build_info": public,
    "modules_info": public,
    "voice_cloning": public,
    "deepgram_recorded": api(STT),
    "deepgram_speak": api(TTS),
    "whisper_cpp_inference": api(STT),
    # accounts
    "webhooks": page,
    "webhook": own_page,
    "webhook_test": own_page,
    "webhook_retry": own_page,
    "webhook_delete": own_page,
    "profile": account_page,
    "email_address": account_page,
    "email_address_change": account_page,
    "approval_status": account_page,
    "approval_status_json": account_page,
    "close_account": account_page,
    "approvals": admin_page,
    "approvals_undo": admin_page,
    "approval_log": admin_page,
    "invitations": admin_page,
    "invitation_revoke": admin_page,
    "invited": public,
    "tokens": page,
    "token_revoke": own_page,
}
OTHER_APPS = ("admin:", "account_", "mfa_", "usersessions_")
"""Prefixes of the names of Django's admin and allauth's pages, which have permissions of their own
(tests/accounts/test_django_admin.py). No token gives access to them."""

SOCKETS = {
    "ws/live/": browser_only,
    "ws/talk/": browser_only,
    "ws/voices/": browser_only,
    "ws/pcm": api(STT),
    "api/asr-streaming": api(STT),
    "api/tts_streaming": api(TTS),
    "v1/listen": api(STT),
    "v1/speak": api(TTS),
    "v2/listen": api(STT),
    "v1/realtime": api(STT),
    "vosk": api(STT),
    "whisper-live": api(STT),
    "asr": api(STT),
    "": missing(public),
}
"""WebSockets, by path."""
