"""What takes its time, or real processes that die, of tests/speech/uploads/test_errors.py."""

import pytest

from tests.speech.uploads.test_errors import mp3
from tests.support.clients.uploads import wait_until_nothing_is_left

pytestmark = pytest.mark.slow


def test_one_that_is_cut_off_is_asked_about(site, sender):
    whole = mp3(20)
    told = sender.wait(sender.send("cut.mp3", whole[: len(whole) // 2]), "cut")
    assert told["problem"]["what"] == "The file is cut off."
    assert "after 0:10" in told["problem"]["why"]
    sender.http.post(f"{told['id']}/").raise_for_status()
    told = sender.wait(told, "done")
    assert told["length"] == pytest.approx(10, abs=0.3)
    wait_until_nothing_is_left(site)


def test_not_too_many_wait_at_a_time(sender):
    told = [sender.announce(f"{number}.wav", 1000) for number in range(21)]
    assert [response.status_code for response in told] == [201] * 20 + [400]
    assert "Too many" in told[-1].json()["what"]
    for response in told[:-1]:
        sender.cancel(response.json())
