"""Fixtures of tests with an external issuer of tokens."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from accounts.credentials.jwt import trusted_issuers
from accounts.models import User
from tests.support.servers.issuer import issuer_server


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The issuer's HTTP server: `.url`, `.respond(request) -> JSON`, and `.requests`, their number."""
    monkeypatch.setattr(trusted_issuers, "_keys", {})
    monkeypatch.setattr(trusted_issuers, "_fetched_at", float("-inf"))
    with issuer_server() as server:
        yield server


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("approved", email="ada@example.org")


@pytest.fixture
def sign(issuer: Any, settings: Any, ada: User) -> Callable[..., str]:
    """`sign(key=None, kid="one", **claims)` returns a token of an issuer that this site trusts; a claim of `...` is
    omitted."""
    settings.TRUSTED_ISSUER, settings.TRUSTED_ISSUER_JWKS_URL = "https://auth.example.org", issuer.url
    issuer_key = Ed25519PrivateKey.generate()
    published = {**OKPAlgorithm.to_jwk(issuer_key.public_key(), as_dict=True), "kid": "one", "alg": "EdDSA"}
    issuer.respond = lambda request: {"keys": [published]}

    def sign(key: Any = None, kid: str = "one", algorithm: str = "EdDSA", **changes: Any) -> str:
        claims = {
            "iss": "https://auth.example.org",
            "aud": settings.SITE_URL,
            "sub": "a7",
            "email": "Ada@Example.org",
            "exp": int(time.time()) + 60,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not ...}
        return jwt.encode(claims, key or issuer_key, algorithm, headers={"kid": kid})

    return sign
