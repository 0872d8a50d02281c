"""Where somebody is logged in, and when that ends."""

from django.test import Client

from tests.accounts.conftest import PASSWORD


def is_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def test_a_rejection_logs_out_everywhere(make_user, sign_in, admin):
    user = make_user("approved")
    browsers = [sign_in(user), sign_in(user)]
    user.reject(admin, "left")
    assert not any(is_in(browser) for browser in browsers)


def test_who_was_rejected_logs_in_and_reads_why(make_user, sign_in, admin, settings):
    settings.ADMIN_CONTACT = "root@example.org"
    user = make_user("approved")
    user.reject(admin, "left the team")
    page = sign_in(user).get("/accounts/standing/").content.decode()
    assert "left the team" in page
    assert "mailto:root@example.org" in page


def test_an_approval_needs_no_new_log_in(make_user, sign_in, admin):
    user = make_user()
    browser = sign_in(user)
    user.approve(admin)
    assert browser.get("/sessions/").status_code == 200


def test_who_is_rejected_while_waiting_reads_why_where_they_wait(make_user, sign_in, admin):
    user = make_user()
    browser = sign_in(user)
    user.reject(admin, "spam")
    assert "spam" in browser.get("/accounts/standing/").content.decode()


def test_one_that_is_deactivated_is_logged_out(make_user, sign_in, admin_client):
    user = make_user("approved")
    browser = sign_in(user)
    admin_client.post(f"/admin/accounts/user/{user.pk}/change/", {"email": user.email})
    assert not is_in(browser)


def test_browsers_are_listed_and_all_but_this_one_logged_out(make_user, sign_in):
    user = make_user("approved")
    here, elsewhere = sign_in(user), sign_in(user)
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count('data-label="Browser"') == 2
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(elsewhere)


def test_nobody_sees_or_ends_the_browsers_of_others(make_user, sign_in):
    other = sign_in(make_user("approved"))
    here = sign_in(make_user("approved"))
    assert here.get("/accounts/sessions/").content.decode().count('data-label="Browser"') == 1
    here.post("/accounts/sessions/")
    assert is_in(other)


def test_a_new_password_logs_out_everywhere_else(make_user, sign_in):
    user = make_user("approved")
    here, elsewhere = sign_in(user), sign_in(user)
    new = "another horse battery"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert not is_in(elsewhere)
