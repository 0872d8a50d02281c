"""Slow tests of upload errors; see tests/speech/uploads/test_errors.py."""

import pytest

from tests.speech.uploads.test_errors import mp3
from tests.support.clients.uploads import wait_until_nothing_is_left

pytestmark = pytest.mark.slow


def test_a_truncated_file_is_transcribed_if_the_user_accepts_it(site, sender):
    whole = mp3(20)
    upload = sender.wait(sender.send("truncated.mp3", whole[: len(whole) // 2]), "truncated")
    assert upload["problem"]["what"] == "The file is truncated."
    assert "after 0:10" in upload["problem"]["why"]
    sender.accept_truncated(upload)
    upload = sender.wait(upload, "done")
    assert upload["duration"] == pytest.approx(10, abs=0.3)
    wait_until_nothing_is_left(site)


def test_pending_uploads_are_limited(sender):
    responses = [sender.create(f"{number}.wav", 1000) for number in range(21)]
    assert [response.status_code for response in responses] == [201] * 20 + [400]
    assert "too many" in responses[-1].json()["title"]
    for response in responses[:-1]:
        sender.cancel(response.json())
