"""Uploads of unusual recordings are transcribed as a whole, and their status says what is unusual."""

from tests.support.clients.api import wav_of
from tests.support.speech.checksum_audio import noise, words_of


def test_joined_recordings_are_transcribed_to_the_end(site, sender):
    parts = [noise(50, seed=41), noise(25, seed=42)]
    upload = sender.wait(sender.send("joined.wav", b"".join(wav_of(part) for part in parts)), "done")
    assert (upload["duration"], upload["note"]) == (6, "It consists of 2 joined recordings.")
    words = (
        "from speech.models import Session; print(*[w.text for w in Session.objects.get(title='joined').words.all()])"
    )
    assert site.shell(words).split() == words_of(b"".join(parts))
