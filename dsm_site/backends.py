"""Database, channel layer and cache settings that hold up under many streams."""

from typing import Any


def database(parsed: dict[str, Any]) -> dict[str, Any]:
    """Settings of a database. Options in its URL (`?sslmode=require`) take precedence over these defaults."""
    if parsed["ENGINE"].endswith("sqlite3"):
        # Readers never wait for the writer, and writers queue for the lock instead of failing half-way.
        options = {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds
        }
    else:
        # A server that is down or hangs is detected in seconds: streams continue without it and store later. So is its
        # return: by default the pool doubles its delay before each attempt and gives up after five minutes.
        options = {
            "pool": {"min_size": 2, "max_size": 16, "timeout": 3, "reconnect_timeout": 1},
            "connect_timeout": 3,
            "tcp_user_timeout": 5000,  # ms
            "options": "-c statement_timeout=10000",  # ms
        }
    return parsed | {"OPTIONS": options | parsed.get("OPTIONS", {})}


def channel_layer(redis_url: str, prefix: str) -> dict[str, Any]:
    # The expiry is in seconds; a request for a slot can wait in the queue for ten minutes.
    limits = {"capacity": 1000, "expiry": 900}
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": limits}
    return {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [redis_url], "prefix": prefix, **limits},
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
        # Used tickets and rate limits live here; the default of 300 entries would evict them.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
