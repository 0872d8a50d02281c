import pytest


@pytest.mark.django_db
def test_pages_show_the_site_name(client, settings):
    assert "<title>Log in · DSM Speech</title>" in " ".join(client.get("/accounts/login/").content.decode().split())
    settings.SITE_NAME = "Parliament & Sons"
    page = client.get("/").content.decode()
    assert page.count("Parliament &amp; Sons") >= 3  # title, header, greeting
    assert "DSM Speech" not in page
    assert "Parliament &amp; Sons" in client.get("/no-such-page").content.decode()
