"""Every URL of the site, in every role."""

import json

import pytest

from tests.accounts.site_urls import all_urls
from tests.permissions.requests import SITE, methods_of, path_of, send
from tests.permissions.roles import ANONYMOUS
from tests.permissions.rules import DENIED, FORBIDDEN, LOGIN, NOT_FOUND, OK, OTHER_APPS, URLS

pytestmark = pytest.mark.django_db

OTHERS = [url for url in all_urls() if url.name.startswith(OTHER_APPS)]
API_PATHS = ("/api/", "/v1/", "/v2/", "/inference")


def test_every_url_has_a_rule():
    missing, outdated = {url.name for url in SITE} - URLS.keys(), URLS.keys() - {url.name for url in SITE}
    assert not missing, f"Add who has access to {', '.join(sorted(missing))} to URLS in tests/permissions/rules.py."
    assert not outdated, f"Remove {', '.join(sorted(outdated))} from URLS in tests/permissions/rules.py."


def outcome_of(response) -> str:
    if response.status_code in (302, 303) and response.url.startswith(("/accounts/login/", "/accounts/status/")):
        return LOGIN
    if response.status_code == 401 or (response.status_code == 403 and b"not approved" in response.content):
        return DENIED
    if response.status_code in (429, 500):
        return str(response.status_code)
    return {403: FORBIDDEN, 404: NOT_FOUND}.get(response.status_code, OK)


@pytest.mark.parametrize("url", SITE, ids=lambda url: url.name)
def test_access_to_urls(url, clients):
    path, rule = path_of(url), URLS[url.name]
    founder = next(client for role, client in clients.items() if role.account == "founder" and not role.is_program)
    clients = {role: client for role, client in clients.items() if rule.is_api or not role.is_narrow}
    for method in methods_of(path, founder):
        responses = {role: send(client, method, path) for role, client in clients.items()}
        differences = {
            f"{role.name}, {method}": f"{outcome} instead of {expected}"
            for role, response in responses.items()
            if (outcome := outcome_of(response)) != (expected := rule.outcome(role))
        }
        assert not differences
        for response in responses.values():
            assert_error_is_no_page(path, response)


def assert_error_is_no_page(path: str, response) -> None:
    """Under the paths of the APIs, errors are JSON; Kyutai's protocol has errors in plain text."""
    if response.status_code < 400 or not path.startswith(API_PATHS):
        return
    content_type = response.headers["Content-Type"]
    assert content_type.startswith(("application/json", "application/problem+json", "text/plain"))
    if "json" in content_type and response.content:
        assert json.loads(response.content)


@pytest.mark.parametrize("app", OTHER_APPS)
def test_no_token_gives_access_to_djangos_admin_or_allauths_pages(app, clients):
    anonymous = next(client for role, client in clients.items() if role.name == ANONYMOUS)
    programs = [client for role, client in clients.items() if role.account == "founder" and role.is_program]
    for url in OTHERS:
        if url.name.startswith(app):
            expected = send(anonymous, "GET", url.path).status_code
            assert (url, {send(client, "GET", url.path).status_code for client in programs}) == (url, {expected})
