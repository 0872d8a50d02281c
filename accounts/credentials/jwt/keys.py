"""The keys that sign the site's JSON Web Tokens: a shared secret (HS256), or a pair of which the public half is told to
everybody at `/.well-known/jwks.json` (EdDSA, RS256).

The first key signs; the others only prove older tokens, so that a key can be replaced without anybody noticing. Each
has an id, and the algorithm is the key's own: what a token says of either is compared, never followed.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
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

SHARED = "HS256"
PAIRS: dict[str, tuple[Any, Any]] = {
    "EdDSA": (Ed25519PrivateKey, Ed25519PublicKey),
    "RS256": (RSAPrivateKey, RSAPublicKey),
}
SECRET_BYTES = 32
"""RFC 7518 §3.2: a key of HS256 is no shorter than its hash."""
RSA_BITS = 2048
HOW_TO_CREATE = {"EdDSA": "openssl genpkey -algorithm ed25519", "RS256": "openssl genrsa 3072"}


@dataclass(frozen=True)
class Key:
    id: str
    algorithm: str
    signing_key: Any
    """A secret or a private key; None where only the public half is known."""
    verification_key: Any


def keys() -> list[Key]:
    """The first one signs. Raises `ImproperlyConfigured`."""
    algorithm: str = settings.JWT_ALGORITHM
    if algorithm == SHARED:
        return _secrets()
    if algorithm not in PAIRS:
        raise ImproperlyConfigured(f"JWT_ALGORITHM is {algorithm}. It is one of HS256, {', '.join(PAIRS)}.")
    paths = [settings.JWT_KEY_FILE, *settings.JWT_KEY_FILE_FALLBACKS]
    if not paths[0]:
        raise ImproperlyConfigured(
            f"JWT_ALGORITHM is {algorithm} and JWT_KEY_FILE is not set. Make a key with "
            f"`{HOW_TO_CREATE[algorithm]} > jwt.pem`, and name the file there."
        )
    pairs = [_pair(Path(path), algorithm) for path in paths]
    if pairs[0].signing_key is None:
        raise ImproperlyConfigured(f"JWT_KEY_FILE names a public key, {paths[0]}. It takes a private one to sign.")
    return pairs


def jwks() -> dict[str, list[dict[str, str]]]:
    """RFC 7517: the public halves. A shared secret has none."""
    return {"keys": [_jwk(key) for key in keys() if key.algorithm != SHARED]}


def _jwk(key: Key) -> dict[str, str]:
    algorithm = get_default_algorithms()[key.algorithm]
    parts: dict[str, str] = algorithm.to_jwk(key.verification_key, as_dict=True)
    return {**parts, "kid": key.id, "alg": key.algorithm, "use": "sig", "key_ops": ["verify"]}  # type: ignore[dict-item]


# --- A shared secret ----------------------------------------------------------------------------------------------


def _secrets() -> list[Key]:
    if settings.JWT_SECRET:
        return [_shared(secret) for secret in [settings.JWT_SECRET, *settings.JWT_SECRET_FALLBACKS]]
    return [_derive(secret) for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]


def _shared(secret: str) -> Key:
    if len(secret.encode()) < SECRET_BYTES:
        raise ImproperlyConfigured(
            f"A JWT_SECRET of {len(secret.encode())} bytes can be guessed. Take {SECRET_BYTES} random ones or more: "
            "openssl rand -base64 48"
        )
    return Key(key_id(secret), SHARED, secret.encode(), secret.encode())


def key_id(secret: str) -> str:
    """What whoever else makes tokens with JWT_SECRET has to name it: the beginning of the SHA-256 of "kid:" and
    the secret, in hex."""
    return sha256(b"kid:" + secret.encode()).hexdigest()[:16]


def _derive(secret: str) -> Key:
    """Django's own key signs much else, so tokens get one that is derived from it."""
    key = salted_hmac("accounts.credentials.jwt.tokens.key", "", secret, algorithm="sha256").digest()
    kid = salted_hmac("accounts.credentials.jwt.tokens.kid", "", secret, algorithm="sha256").hexdigest()[:16]
    return Key(kid, SHARED, key, key)


# --- A pair -------------------------------------------------------------------------------------------------------


@cache
def _pair(path: Path, algorithm: str) -> Key:
    private_kind, public_kind = PAIRS[algorithm]
    try:
        pem = path.read_bytes()
        private: Any = load_pem_private_key(pem, password=None) if b"PRIVATE KEY" in pem else None
        public: Any = private.public_key() if private else load_pem_public_key(pem)
    except (OSError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(f"The key {path} cannot be read: {error}. It has to be a PEM file.") from None
    if not isinstance(public, public_kind) or not isinstance(private, (private_kind, type(None))):
        raise ImproperlyConfigured(
            f"The key {path} is not one for {algorithm}. Make one with `{HOW_TO_CREATE[algorithm]}`, or set "
            "JWT_ALGORITHM to the key's own."
        )
    if isinstance(public, RSAPublicKey) and public.key_size < RSA_BITS:
        raise ImproperlyConfigured(f"The key {path} has {public.key_size} bits, and {RSA_BITS} are the least.")
    kid = sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]
    return Key(kid, algorithm, private, public)
