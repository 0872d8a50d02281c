"""Of several audio tracks the default one is transcribed, unless it is silent; else the one with speech."""

import pytest

from speech.batch.decode import measure
from tests.support.speech.recordings import decoded, encode, frequencies

SILENT = "anullsrc=r=48000:d=3"
NOISE = "anoisesrc=d=3:r=48000:a=0.003:seed=1"
MUSIC = "sine=900:d=3:r=48000,volume='if(lt(mod(t,1),0.5),1,0.5)':eval=frame"
SPEECH = "sine=300:d=3:r=48000,volume='if(lt(mod(t,0.5),0.25),1,0.02)':eval=frame"


def film(file, *tracks, default=(0,), options=()):
    """`tracks`: filters that generate audio; `default`: the numbers of default tracks."""
    inputs = [argument for track in tracks for argument in ("-f", "lavfi", "-i", track)]
    maps = [argument for number in range(len(tracks)) for argument in ("-map", str(number))]
    flags = [
        argument
        for number in range(len(tracks))
        for argument in (f"-disposition:a:{number}", "default" if number in default else "0")
    ]
    return encode(file, *inputs, *maps, *flags, *options)


def chosen(file):
    pcm, found = decoded(file)
    return max(frequencies(pcm)), found.track


@pytest.mark.parametrize(
    ("tracks", "default", "expected"),
    [
        ((MUSIC, SPEECH), (0,), (900, 1)),
        ((MUSIC, SPEECH), (1,), (300, 2)),
        ((SILENT, SPEECH), (0,), (300, 2)),
        pytest.param((SPEECH, SILENT), (1,), (300, 1), marks=pytest.mark.slow),
        pytest.param((SILENT, MUSIC, SPEECH), (0,), (300, 3), marks=pytest.mark.slow),
        ((MUSIC, SPEECH), (), (300, 2)),
        pytest.param((MUSIC, SPEECH), (0, 1), (300, 2), marks=pytest.mark.slow),
        pytest.param((SILENT, SILENT), (0,), (0, 1), marks=pytest.mark.slow),
        ((NOISE, SPEECH), (0,), (300, 2)),
    ],
)
def test_the_default_track_or_the_one_with_speech(tracks, default, expected, tmp_path):
    assert chosen(film(tmp_path / "film.mkv", *tracks, default=default)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("extension", ["mp4", "ts"])
def test_a_silent_first_track_is_not_transcribed(extension, tmp_path):
    assert chosen(film(tmp_path / f"film.{extension}", SILENT, SPEECH, options=["-c:a", "aac"])) == (300, 2)


@pytest.mark.slow
def test_speech_that_begins_late_is_found(tmp_path):
    late = "sine=300:d=600:r=8000,volume='if(lt(t,200)+lt(mod(t,0.5),0.25),0,1)':eval=frame"
    file = film(tmp_path / "film.mkv", "anullsrc=r=8000:d=600", late, options=["-c:a", "pcm_s16le"])
    assert decoded(file)[1].track == 2


async def test_the_owner_learns_which_track_was_chosen(tmp_path):
    names = ["-metadata:s:a:1", "language=fra", "-metadata:s:a:1", "title=Interview"]
    found = await measure(film(tmp_path / "film.mkv", SILENT, SPEECH, options=names))
    assert found.note == "Of its 2 audio tracks, number 2 (fra, “Interview”) is transcribed."
