"""Download of a recording from the URL that a client gives instead of the file."""

import asyncio
import hashlib
import ssl
from typing import IO
from urllib.parse import urljoin

import httpcore

from speech.dialects.deepgram.errors import RemoteContentError
from speech.egress_guard import AddressBlocked, PublicNetwork

TIMEOUT = 300.0
"""Seconds for all of it."""
IDLE_TIMEOUT = 20.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "speech", "Accept": "*/*", "Accept-Encoding": "identity"}


async def fetch(url: str, file: IO[bytes], max_size: int) -> str:
    """Write the recording to the file, and return its SHA-256, in hexadecimal. Each address, also of a redirect, is
    checked as a webhook's is. Raises `RemoteContentError`."""
    pool = httpcore.AsyncConnectionPool(network_backend=PublicNetwork(), ssl_context=ssl.create_default_context())
    try:
        async with asyncio.timeout(TIMEOUT), pool:
            for _ in range(MAX_REDIRECTS + 1):
                sha256, location = await _get(pool, url, file, max_size)
                if not location:
                    return sha256
                url = urljoin(url, location)
    except AddressBlocked as blocked:
        raise RemoteContentError(why=str(blocked)) from None
    except (TimeoutError, httpcore.TimeoutException):
        raise RemoteContentError(why="Its server takes too long.") from None
    except (OSError, ValueError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise RemoteContentError(why=f"{str(error) or type(error).__name__}.") from None
    raise RemoteContentError(why="It is redirected too often.")


async def _get(pool: httpcore.AsyncConnectionPool, url: str, file: IO[bytes], max_size: int) -> tuple[str, str]:
    """SHA-256, and an empty string; or an empty one and where the server redirects to."""
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), IDLE_TIMEOUT)
    headers: list[tuple[bytes | str, bytes | str]] = list(HEADERS.items())
    async with pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
        if response.status in REDIRECTS:
            locations = [value for name, value in response.headers if name.lower() == b"location"]
            return "", locations[0].decode("latin1") if locations else url
        if response.status != 200:
            raise RemoteContentError(why=f"Its server answers with HTTP {response.status}.")
        sha256, size = hashlib.sha256(), 0
        async for chunk in response.aiter_stream():
            size += len(chunk)
            if size > max_size:
                raise RemoteContentError(why=f"It is too large. The limit is {max_size >> 20} MiB.")
            sha256.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.flush)
    return sha256.hexdigest(), ""
