"""Asking a site of a test's over HTTP, as a program would."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.support.servers.site import Site


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(site: Site, path: str, data: Any = None, *, within: float = 60.0, **headers: str) -> Answer:
    """GET, or POST where there is `data`: bytes as they are, anything else as JSON. Underscores in the names of headers
    stand for hyphens."""
    body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
    kind = {} if data is None or isinstance(data, bytes) else {"Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{site.url}{path}", body, {**kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )
    try:
        with urllib.request.urlopen(request, timeout=within) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read())
