"""Every URL of the site, found by walking the URLconf, with an example path for each."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

SAMPLES = {
    "int": "1",
    "str": "x",
    "slug": "x",
    "path": "x",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
GROUP_SAMPLES = {"key": "x", "uidb36": "1", "app_label": "auth", "url": "x"}


class SiteURL(NamedTuple):
    name: str
    path: str


def all_urls(urlconf: str | None = None) -> list[SiteURL]:
    return list(_walk(get_resolver(urlconf), "/", ""))


def _walk(resolver: URLResolver, path: str, namespace: str) -> Iterator[SiteURL]:
    for pattern in resolver.url_patterns:
        full_path = path + _example(pattern)
        if isinstance(pattern, URLPattern):
            yield SiteURL(f"{namespace}{pattern.name or full_path}", full_path)
        else:
            inner_namespace = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _walk(pattern, full_path, namespace + inner_namespace)


def _example(pattern: URLPattern | URLResolver) -> str:
    route = str(pattern.pattern)
    if isinstance(pattern.pattern, RoutePattern):
        return re.sub(r"<(?:(\w+):)?\w+>", lambda match: SAMPLES[match[1] or "str"], route)
    plain = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^)])*\)", lambda match: GROUP_SAMPLES[match[1]], route)
    return plain.strip("^$")
