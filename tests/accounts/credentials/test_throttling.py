"""Rate limits while the cache, which holds the counts, is unavailable."""

import pytest

from accounts.credentials.throttling import AccountThrottle


@pytest.mark.parametrize(("path", "method"), [("/api/tickets/", "post"), ("/api/v1/me/", "get")])
def test_without_the_cache_requests_are_allowed_and_a_warning_is_logged(
    path, method, make_user, log_in, monkeypatch, caplog
):
    def fail(*args, **kwargs):
        raise ConnectionError("no cache")

    client = log_in(make_user("approved"))
    monkeypatch.setattr(AccountThrottle, "cache", type("Cache", (), {"get": fail, "set": fail}))
    assert getattr(client, method)(path).status_code == 200
    warnings = [record for record in caplog.records if "cache unavailable" in record.getMessage()]
    assert {warning.error_class for warning in warnings} == {"network"}
