def test_the_name_is_saved_and_shown_to_administrators(make_user, log_in, admin_client):
    user = make_user("approved")
    assert log_in(user).post("/accounts/", {"name": "Ada Lovelace"}).url == "/accounts/"
    user.refresh_from_db()
    assert user.name == "Ada Lovelace"
    assert "Ada Lovelace" in admin_client.get("/accounts/approvals/", {"q": "lovelace"}).content.decode()


def test_only_the_name_can_be_changed(make_user, log_in):
    user = make_user("pending")
    log_in(user).post("/accounts/", {"name": "Eve", "status": "approved", "is_staff": "on", "email": "x@example.com"})
    before = (user.status, user.is_staff, user.email)
    user.refresh_from_db()
    assert (user.status, user.is_staff, user.email) == before


def test_the_page_links_to_all_account_pages(make_user, log_in):
    page = log_in(make_user("approved")).get("/accounts/").content.decode()
    for path in ("email", "password/change", "2fa", "sessions", "tokens", "webhooks", "close"):
        assert f'href="/accounts/{path}/"' in page
