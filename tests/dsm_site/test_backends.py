"""Database options of the site and of DATABASE_URL, and the Redis prefix."""

import environ
import pytest

from dsm_site import backends


@pytest.mark.parametrize(
    ("url", "from_url", "from_site"),
    [
        ("postgres://user:word@host/db?sslmode=verify-full&sslrootcert=/ca.pem", "sslmode", "pool"),
        ("sqlite:////tmp/db.sqlite3?timeout=5", "timeout", "transaction_mode"),
    ],
)
def test_options_of_the_database_url_are_kept(url: str, from_url: str, from_site: str) -> None:
    parsed = environ.Env().db_url_config(url)
    options = backends.database(parsed)["OPTIONS"]
    assert options[from_url] == parsed["OPTIONS"][from_url]
    assert from_site in options


def test_redis_keys_have_the_sites_prefix() -> None:
    layer, cache = backends.channel_layer("redis://host", "one"), backends.cache("redis://host", "one")
    assert layer["CONFIG"]["prefix"] == cache["KEY_PREFIX"] == "one"
