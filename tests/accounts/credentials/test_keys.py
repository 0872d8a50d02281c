import hmac
import json
import time
from base64 import urlsafe_b64encode
from hashlib import sha256

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts import email_addresses
from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.keys import MIN_SECRET_BYTES, key_id, keys
from accounts.credentials.jwt.tokens import API_AUDIENCE, TICKET_LIFETIME, InvalidToken

GENERATORS = {"EdDSA": Ed25519PrivateKey.generate, "RS256": lambda: generate_private_key(65537, 2048)}


def write(key, path, private=True):
    if private:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(pem)
    return str(path)


@pytest.fixture(params=GENERATORS)
def pair(request, settings, tmp_path):
    """Configures a key pair. Returns its algorithm and the private key."""
    key = GENERATORS[request.param]()
    settings.JWT_ALGORITHM, settings.JWT_KEY_FILE = request.param, write(key, tmp_path / "key.pem")
    return request.param, key


def signed_by_hmac(claims, header, key):
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = urlsafe_b64encode(hmac.digest(key, b".".join(parts), "sha256")).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def issue(make_user):
    return tokens.issue(make_user("approved"), API_AUDIENCE, TICKET_LIFETIME)


def test_the_published_key_verifies_tokens(pair, make_user, settings):
    token = issue(make_user)
    published = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(token)
    key = published[header["kid"]]
    assert header["alg"] == pair[0]
    assert jwt.decode(token, key, algorithms=[pair[0]], audience=API_AUDIENCE)["iss"] == settings.SITE_URL


def test_only_the_public_key_is_published(pair):
    (published,) = Client().get("/.well-known/jwks.json").json()["keys"]
    assert published["use"] == "sig"
    assert not {"d", "p", "q", "k"} & published.keys()


def test_a_shared_secret_is_never_published(settings):
    settings.JWT_SECRET = "s" * 40
    assert Client().get("/.well-known/jwks.json").json() == {"keys": []}


def test_a_token_of_the_previous_key_is_valid(pair, make_user, settings, tmp_path):
    algorithm, old = pair
    token = issue(make_user)
    settings.JWT_KEY_FILE = write(GENERATORS[algorithm](), tmp_path / "new.pem")
    settings.JWT_KEY_FILE_FALLBACKS = [write(old, tmp_path / "old.pem", private=False)]
    assert tokens.verify(token, API_AUDIENCE)
    assert jwt.get_unverified_header(issue(make_user))["kid"] != jwt.get_unverified_header(token)["kid"]
    settings.JWT_KEY_FILE_FALLBACKS = []
    with pytest.raises(InvalidToken, match="unknown key"):
        tokens.verify(token, API_AUDIENCE)


def test_tokens_signed_with_the_public_key_are_rejected(pair, make_user):
    """Algorithm confusion: a token signed by HMAC with the public key as its secret."""
    user, key = make_user("approved"), keys()[0]
    public = pair[1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(tokens.issue(user, API_AUDIENCE, TICKET_LIFETIME), options={"verify_signature": False})
    header = {"typ": f"{API_AUDIENCE}+jwt", "kid": key.id}
    for algorithm in ("HS256", pair[0]):
        token = signed_by_hmac(claims, {**header, "alg": algorithm}, public)
        with pytest.raises(InvalidToken):
            tokens.verify(token, API_AUDIENCE)


def test_third_parties_can_sign_tokens_with_the_shared_secret(make_user, settings):
    settings.JWT_SECRET = "a secret that two services share, long enough"
    user, now = make_user("approved"), int(time.time())
    claims = {"iss": settings.SITE_URL, "aud": API_AUDIENCE, "sub": user.email, "status": "approved", "jti": "1"}
    header = {"kid": key_id(settings.JWT_SECRET), "typ": "api+jwt"}
    token = jwt.encode({**claims, "iat": now, "exp": now + 60}, settings.JWT_SECRET, headers=header)
    assert tokens.bearer_of(tokens.verify(token, API_AUDIENCE)) == user
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"  # the address identifies the account only if it is confirmed
    with pytest.raises(InvalidToken, match="confirmed its email address"):
        tokens.bearer_of(tokens.verify(token, API_AUDIENCE))
    email_addresses.confirm_address(user)
    assert tokens.bearer_of(tokens.verify(token, API_AUDIENCE)) == user


INVALID_SETTINGS = {
    "an unknown algorithm": {"JWT_ALGORITHM": "none"},
    "a short secret": {"JWT_SECRET": "secret"},
    "no key": {"JWT_ALGORITHM": "EdDSA"},
    "a missing key file": {"JWT_ALGORITHM": "EdDSA", "JWT_KEY_FILE": "/nowhere/key.pem"},
    "a file without a key": {"JWT_ALGORITHM": "EdDSA", "JWT_KEY_FILE": __file__},
}


@pytest.mark.parametrize("changes", INVALID_SETTINGS.values(), ids=INVALID_SETTINGS.keys())
def test_invalid_settings(changes, settings):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured):
        keys()


def test_a_key_of_another_algorithm(pair, settings):
    settings.JWT_ALGORITHM = next(name for name in GENERATORS if name != pair[0])
    with pytest.raises(ImproperlyConfigured, match="isn't a key for"):
        keys()


def test_a_public_key_cannot_sign(pair, settings, tmp_path):
    settings.JWT_KEY_FILE = write(pair[1], tmp_path / "public.pem", private=False)
    with pytest.raises(ImproperlyConfigured, match="needs a private key"):
        keys()


def test_fallbacks_do_not_replace_the_key_that_signs(pair, settings):
    settings.JWT_KEY_FILE, settings.JWT_KEY_FILE_FALLBACKS = "", [settings.JWT_KEY_FILE]
    with pytest.raises(ImproperlyConfigured, match="JWT_KEY_FILE isn't set"):
        keys()


def test_a_short_rsa_key_is_rejected(settings, tmp_path):
    short = generate_private_key(65537, 1024)
    settings.JWT_ALGORITHM, settings.JWT_KEY_FILE = "RS256", write(short, tmp_path / "short.pem")
    with pytest.raises(ImproperlyConfigured, match="1024 bits"):
        keys()


def test_a_secret_of_the_minimum_length_is_accepted_and_names_the_key_as_documented(settings):
    settings.JWT_SECRET = "s" * MIN_SECRET_BYTES
    (key,) = keys()
    assert key.id == sha256(b"kid:" + settings.JWT_SECRET.encode()).hexdigest()[:16]
    settings.JWT_SECRET = "s" * (MIN_SECRET_BYTES - 1)
    with pytest.raises(ImproperlyConfigured, match="too short"):
        keys()


def test_a_derived_key_has_as_many_bits_as_its_hash():
    key = keys()[0]
    assert len(key.signing_key) == MIN_SECRET_BYTES
    assert len(key.id) == 16


def test_a_pair_is_named_by_16_digits(pair):
    assert len(keys()[0].id) == 16
