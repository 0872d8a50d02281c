"""What SQLite or PostgreSQL, and Redis or the process itself, need to be told to hold up under many streams."""

from typing import Any


def database(parsed: dict[str, Any]) -> dict[str, Any]:
    """A database's settings, completed; what its URL asks for (`?sslmode=require`) holds."""
    if parsed["ENGINE"].endswith("sqlite3"):
        # Readers never wait for the writer, and writers queue for the lock instead of failing half-way.
        options = {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds
        }
    else:
        # A server that is away, or hangs, is noticed in seconds: streams go on without it, and store later. That it is
        # back is, too: the pool would wait twice as long before each attempt, and give up after five minutes.
        options = {
            "pool": {"min_size": 2, "max_size": 16, "timeout": 3, "reconnect_timeout": 1},
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,  # ms
            "options": "-c statement_timeout=10000",  # ms
        }
    return parsed | {"OPTIONS": options | parsed.get("OPTIONS", {})}


def channel_layer(redis_url: str, prefix: str) -> dict[str, Any]:
    # The expiry is in seconds; a request for a slot may wait in the queue for ten minutes.
    bounds = {"capacity": 1000, "expiry": 900}
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": bounds}
    return {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [redis_url], "prefix": prefix, **bounds},
    }


def cache(redis_url: str, prefix: str) -> dict[str, Any]:
    if redis_url:
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": prefix,
        }
    return {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # Used tickets and rate limits live here; the default of 300 entries would forget them.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
