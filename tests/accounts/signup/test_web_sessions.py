"""Login sessions in several browsers, and what ends them."""

from django.test import Client

from tests.accounts.conftest import PASSWORD


def is_logged_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def test_a_rejection_logs_out_everywhere(make_user, log_in_with_password, admin):
    user = make_user("approved")
    browsers = [log_in_with_password(user), log_in_with_password(user)]
    user.reject(admin, "left")
    assert not any(is_logged_in(browser) for browser in browsers)


def test_a_rejected_user_can_log_in_and_see_the_reason(make_user, log_in_with_password, admin, settings):
    settings.ADMIN_CONTACT = "root@example.org"
    user = make_user("approved")
    user.reject(admin, "left the team")
    page = log_in_with_password(user).get("/accounts/status/").content.decode()
    assert "left the team" in page
    assert "mailto:root@example.org" in page


def test_approval_requires_no_new_login(make_user, log_in_with_password, admin):
    user = make_user()
    browser = log_in_with_password(user)
    user.approve(admin)
    assert browser.get("/sessions/").status_code == 200


def test_a_rejected_pending_user_stays_logged_in_and_sees_the_reason(make_user, log_in_with_password, admin):
    user = make_user()
    browser = log_in_with_password(user)
    user.reject(admin, "spam")
    assert "spam" in browser.get("/accounts/status/").content.decode()


def test_a_deactivated_user_is_logged_out(make_user, log_in_with_password, admin_client):
    user = make_user("approved")
    browser = log_in_with_password(user)
    admin_client.post(f"/admin/accounts/user/{user.pk}/change/", {"email": user.email})
    assert not is_logged_in(browser)


def test_browsers_are_listed_and_others_can_be_logged_out(make_user, log_in_with_password):
    user = make_user("approved")
    browser, other = log_in_with_password(user), log_in_with_password(user)
    page = browser.get("/accounts/sessions/").content.decode()
    assert page.count('data-label="Browser"') == 2
    browser.post("/accounts/sessions/")
    assert is_logged_in(browser)
    assert not is_logged_in(other)


def test_users_cannot_see_or_log_out_browsers_of_others(make_user, log_in_with_password):
    other = log_in_with_password(make_user("approved"))
    browser = log_in_with_password(make_user("approved"))
    assert browser.get("/accounts/sessions/").content.decode().count('data-label="Browser"') == 1
    browser.post("/accounts/sessions/")
    assert is_logged_in(other)


def test_a_new_password_logs_out_everywhere_else(make_user, log_in_with_password):
    user = make_user("approved")
    browser, other = log_in_with_password(user), log_in_with_password(user)
    new = "another horse battery"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert browser.post("/accounts/password/change/", form).status_code == 302
    assert not is_logged_in(other)
