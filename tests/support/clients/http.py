"""HTTP requests to a site under test."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.support.servers.site import Site


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def request(site: Site, path: str, data: Any = None, *, within: float = 60.0, **headers: str) -> Response:
    """Send a GET request, or POST `data`: bytes unchanged, anything else as JSON. Underscores in header names become
    hyphens."""
    body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
    content_type = {} if data is None or isinstance(data, bytes) else {"Content-Type": "application/json"}
    http_request = urllib.request.Request(
        f"{site.url}{path}",
        body,
        {**content_type, **{name.replace("_", "-"): value for name, value in headers.items()}},
    )
    try:
        with urllib.request.urlopen(http_request, timeout=within) as response:
            return Response(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, dict(error.headers), error.read())
