"""Keys that sign the site's JSON Web Tokens: a shared secret (HS256), or a key pair whose public key is published at
`/.well-known/jwks.json` (EdDSA, RS256).

The first key signs; the others only verify older tokens, so that keys can be rotated without logging out clients. Each
key has an id and an algorithm; those in a token's header are only compared with them, never trusted.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac
from jwt.algorithms import get_default_algorithms

HMAC_ALGORITHM = "HS256"
PAIRS: dict[str, Any] = {"EdDSA": Ed25519PublicKey, "RS256": RSAPublicKey}
"""The class of the public keys of each algorithm; that of the private ones follows from it."""
MIN_SECRET_BYTES = 32
"""Minimum length of an HS256 key, that of its hash (RFC 7518 §3.2)."""
MIN_RSA_BITS = 2048
KEY_COMMANDS = {"EdDSA": "openssl genpkey -algorithm ed25519", "RS256": "openssl genrsa 3072"}


@dataclass(frozen=True)
class Key:
    id: str
    algorithm: str
    signing_key: Any
    """A secret or a private key; None if only the public key is known."""
    verification_key: Any


def keys() -> list[Key]:
    """All keys; the first one signs. Raises `ImproperlyConfigured`."""
    algorithm: str = settings.JWT_ALGORITHM
    if algorithm == HMAC_ALGORITHM:
        return _secrets()
    if algorithm not in PAIRS:
        raise ImproperlyConfigured(f"JWT_ALGORITHM is {algorithm}; it must be one of HS256, {', '.join(PAIRS)}.")
    paths = [settings.JWT_KEY_FILE, *settings.JWT_KEY_FILE_FALLBACKS]
    if not paths[0]:
        raise ImproperlyConfigured(
            f"JWT_ALGORITHM is {algorithm}, but JWT_KEY_FILE isn't set. Create a key with "
            f"`{KEY_COMMANDS[algorithm]} > jwt.pem` and set JWT_KEY_FILE to its path."
        )
    pairs = [_pair(Path(path), algorithm) for path in paths]
    if pairs[0].signing_key is None:
        raise ImproperlyConfigured(f"JWT_KEY_FILE is a public key ({paths[0]}); signing needs a private key.")
    return pairs


def jwks() -> dict[str, list[dict[str, str]]]:
    """The public keys as a JWK set (RFC 7517). Shared secrets have none."""
    return {"keys": [_jwk(key) for key in keys() if key.algorithm != HMAC_ALGORITHM]}


def _jwk(key: Key) -> dict[str, str]:
    algorithm = get_default_algorithms()[key.algorithm]
    parts: dict[str, str] = algorithm.to_jwk(key.verification_key, as_dict=True)
    return {**parts, "kid": key.id, "alg": key.algorithm, "use": "sig", "key_ops": ["verify"]}  # type: ignore[dict-item]


def _secrets() -> list[Key]:
    if settings.JWT_SECRET:
        return [_shared(secret) for secret in [settings.JWT_SECRET, *settings.JWT_SECRET_FALLBACKS]]
    return [_derive(secret) for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]


def _shared(secret: str) -> Key:
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ImproperlyConfigured(
            f"JWT_SECRET is too short ({len(secret.encode())} bytes). Use at least {MIN_SECRET_BYTES} random bytes: "
            "openssl rand -base64 48"
        )
    return Key(key_id(secret), HMAC_ALGORITHM, secret.encode(), secret.encode())


def key_id(secret: str) -> str:
    """The key's `kid`: first 16 hex digits of SHA-256("kid:" + secret). Third parties signing with JWT_SECRET must
    send it."""
    return sha256(b"kid:" + secret.encode()).hexdigest()[:16]


def _derive(secret: str) -> Key:
    """A key derived from SECRET_KEY, which Django also uses for other signatures."""
    key = salted_hmac("accounts.credentials.jwt.tokens.key", "", secret, algorithm="sha256").digest()
    kid = salted_hmac("accounts.credentials.jwt.tokens.kid", "", secret, algorithm="sha256").hexdigest()[:16]
    return Key(kid, HMAC_ALGORITHM, key, key)


@cache
def _pair(path: Path, algorithm: str) -> Key:
    try:
        pem = path.read_bytes()
        private: Any = load_pem_private_key(pem, password=None) if b"PRIVATE KEY" in pem else None
        public: Any = private.public_key() if private else load_pem_public_key(pem)
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"Can't read {path}: {error}. It must be a PEM file.") from None
    if not isinstance(public, PAIRS[algorithm]):
        raise ImproperlyConfigured(
            f"{path} isn't a key for {algorithm}. Create one with `{KEY_COMMANDS[algorithm]}`, or set "
            "JWT_ALGORITHM to match."
        )
    if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        raise ImproperlyConfigured(f"{path} has {public.key_size} bits; at least {MIN_RSA_BITS} are required.")
    kid = sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]
    return Key(kid, algorithm, private, public)
