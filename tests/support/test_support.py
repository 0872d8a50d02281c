"""The checks of tests/support detect the problems that they are for."""

from pathlib import Path

import pytest

from tests.conftest import StartSite
from tests.support.pages.browser import Browsers
from tests.support.servers.site import Site, running_site
from tests.support.speech.words import normalize, word_error_rate

pytestmark = pytest.mark.slow


@pytest.fixture
def quick_site(start_site: StartSite) -> Site:
    return start_site(STT_ENGINE="checksum")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("console.error('a page’s own words')", "console: a page’s own words"),
        ("setTimeout(() => { throw new Error('no one caught it') })", "uncaught: .*no one caught it"),
        ("fetch('http://localhost:9/', {mode: 'no-cors'}).catch(() => {})", "another origin: http://localhost:9/"),
        ("new WebSocket('ws://localhost:9/') && 0", "another origin: ws://localhost:9/"),
    ],
)
def test_problems_of_a_page_fail_its_test(quick_site: Site, script: str, problem: str) -> None:
    with Browsers() as browsers:
        page = browsers.open(quick_site.url, bypass_csp=True)
        page.goto("/healthz")
        page.evaluate(script)
        page.wait_for_timeout(200)
        with pytest.raises(AssertionError, match=problem):
            browsers.assert_no_problems()


def test_an_expected_problem_does_not_fail_the_test(quick_site: Site) -> None:
    with Browsers() as browsers:
        page = browsers.open(quick_site.url, expect=["status of 404", "as expected"])
        page.goto("/healthz")
        page.evaluate("console.error('as expected')")
        browsers.assert_no_problems()


def test_a_traceback_in_the_sites_log_fails_its_test(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="Traceback"),
        running_site(tmp_path, STT_ENGINE="checksum") as site,
        site.web.log_file.open("a") as log,
    ):
        log.write("Traceback (most recent call last):\n")


def test_a_site_that_cannot_start_reports_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="Unknown engine “no-such”"),
        running_site(tmp_path, STT_ENGINE="no-such"),
    ):
        pass


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert normalize("“The water’s surface”, she\nsaid: 2 crystal-clear ponds!") == (
        "the water's surface she said crystal clear ponds"
    )
    assert word_error_rate("One, two; three four.", "one too three") == 0.5
