import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import PASSWORD, log_in, sign_up

pytestmark = pytest.mark.slow


def test_an_administrator_of_a_site_with_the_small_engine_sees_an_upgrade(site, open_page, request):
    page = open_page(site.url)
    sign_up(page, "admin@example.org")
    upgrade = page.locator("#upgrade")
    upgrade.get_by_text("Upgrade available").click()
    expect(upgrade).to_contain_text("STT_ENGINE=stt-1b-en_fr")
    expect(upgrade).to_contain_text("2,370 MB")
    expect(page.locator("#endpointing")).to_be_hidden()  # this engine has no endpointing options
    if folder := request.config.getoption("--pictures"):
        page.screenshot(path=f"{folder}/live-upgrade.png", full_page=True)
    site.shell(
        "from accounts.models import User\n"
        f"User.objects.create_user('ada@example.org', {PASSWORD!r}, status='approved')"
    )
    other = open_page(site.url)
    log_in(other, "ada@example.org")
    expect(other.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    expect(other.locator("#upgrade")).to_have_count(0)
