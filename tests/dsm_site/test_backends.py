"""What an operator asks for in a database's URL holds beside what the site needs."""

import environ
import pytest

from dsm_site import backends


@pytest.mark.parametrize(
    ("url", "asked", "needed"),
    [
        ("postgres://user:word@host/db?sslmode=verify-full&sslrootcert=/ca.pem", "sslmode", "pool"),
        ("sqlite:////tmp/db.sqlite3?timeout=5", "timeout", "transaction_mode"),
    ],
)
def test_the_options_of_a_database_url_are_kept(url: str, asked: str, needed: str) -> None:
    parsed = environ.Env().db_url_config(url)
    options = backends.database(parsed)["OPTIONS"]
    assert options[asked] == parsed["OPTIONS"][asked]
    assert needed in options


def test_two_sites_on_one_redis_keep_apart_by_their_prefix() -> None:
    layer, cache = backends.channel_layer("redis://host", "one"), backends.cache("redis://host", "one")
    assert layer["CONFIG"]["prefix"] == cache["KEY_PREFIX"] == "one"
