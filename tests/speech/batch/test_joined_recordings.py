"""Files that were joined by appending one to another are transcribed to their end, part after part."""

import pytest

from speech.batch.decode import measure
from tests.support.speech.recordings import decoded, encode, frequencies, sine

EXPECTED = [300] * 2 + [600] * 3 + [900] * 2  # of each half second
LENGTHS = {300: 1, 600: 1.5, 900: 1}  # seconds
COMMON = {"wav": [], "mp3": [], "ogg": ["-c:a", "libvorbis"], "ts": ["-c:a", "aac"]}
"""One of each way of joining."""
RARE = {
    "flac": [], "aac": [], "m4a": [], "aiff": [], "au": [], "caf": [], "w64": [], "opus": [], "wma": [],
    "webm": ["-c:a", "libopus"], "mka": ["-c:a", "flac"], "avi": ["-c:a", "pcm_s16le"], "flv": ["-c:a", "aac"],
    "mov": ["-c:a", "aac"], "mpg": ["-c:a", "mp2", "-f", "mpeg"],
}  # fmt: skip
OPTIONS = COMMON | RARE
FORMATS = [*COMMON, *(pytest.param(each, marks=pytest.mark.slow) for each in RARE)]


def join(folder, extension, *parts):
    file = folder / f"joined.{extension}"
    file.write_bytes(b"".join(part.read_bytes() for part in parts))
    return file


def assert_joined(file, expected=EXPECTED):
    """Codecs add a few milliseconds at the beginning or the end of each part."""
    pcm, found = decoded(file)
    assert len(pcm) / 12_000 == pytest.approx(len(expected), abs=0.45)
    spectra = frequencies(pcm)
    assert [a for a, b in zip(spectra, expected, strict=False) if abs(a - b) > 20] == []
    assert not found.is_truncated
    return found


@pytest.mark.parametrize("extension", FORMATS)
def test_every_part_is_decoded(extension, tmp_path):
    make = OPTIONS[extension]
    parts = [sine(tmp_path / f"{f}.{extension}", *make, frequency=f, seconds=s) for f, s in LENGTHS.items()]
    assert_joined(join(tmp_path, extension, *parts))


DIFFERING = ["flac", "mp3", "ogg", "ts", "aac", "m4a"]


@pytest.mark.parametrize("extension", ["wav", *(pytest.param(each, marks=pytest.mark.slow) for each in DIFFERING)])
def test_parts_may_differ_in_rate_and_channels(extension, tmp_path):
    make = OPTIONS[extension]
    first = sine(tmp_path / f"1.{extension}", *make, "-ar", "44100", "-ac", "1", frequency=300, seconds=1)
    second = sine(tmp_path / f"2.{extension}", *make, "-ar", "32000", "-ac", "2", frequency=600, seconds=1)
    found = assert_joined(join(tmp_path, extension, first, second), [300, 300, 600, 600])
    assert found.channels == 1


@pytest.mark.slow
def test_parts_of_an_ogg_file_may_differ_in_codec(tmp_path):
    parts = [
        sine(tmp_path / f"{codec}.ogg", "-c:a", codec, frequency=frequency, seconds=seconds)
        for codec, (frequency, seconds) in zip(("libvorbis", "libopus", "flac"), LENGTHS.items(), strict=True)
    ]
    assert_joined(join(tmp_path, "ogg", *parts))


def film(file, *options, frequency=600):
    picture = ["-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10"]
    return encode(file, *picture, "-f", "lavfi", "-i", f"sine={frequency}:d=1:r=48000", "-c:a", "aac", *options)


def test_tracks_of_a_transport_stream_may_change_their_numbers(tmp_path):
    sound = sine(tmp_path / "sound.ts", "-c:a", "aac", frequency=300, seconds=1)
    other = film(tmp_path / "other.ts", "-mpegts_start_pid", "500", frequency=900)
    file = join(tmp_path, "ts", sound, film(tmp_path / "film.ts"), other)
    assert_joined(file, [300] * 2 + [600] * 2 + [900] * 2)


@pytest.mark.slow
def test_a_jump_of_half_a_day_between_two_parts_is_no_gap(tmp_path):
    late = film(tmp_path / "late.ts", "-output_ts_offset", "50000", frequency=300)
    file = join(tmp_path, "ts", late, film(tmp_path / "film.ts"), late)
    assert_joined(file, [300] * 2 + [600] * 2 + [300] * 2)


@pytest.mark.slow
def test_recordings_of_a_browser_have_no_sizes(tmp_path):
    live = [
        sine(tmp_path / f"{f}.webm", "-c:a", "libopus", "-live", "1", frequency=f, seconds=s)
        for f, s in LENGTHS.items()
    ]
    assert_joined(join(tmp_path, "webm", *live))


def test_a_picture_in_a_tag_between_two_parts_is_no_audio(tmp_path):
    parts = [sine(tmp_path / f"{f}.mp3", "-id3v2_version", "0", frequency=f, seconds=1) for f in (300, 600)]
    tag = tmp_path / "tag"
    tag.write_bytes(b"ID3\x03\0\0" + bytes([0, 8, 0, 0]) + b"\xff\xfb\x90\x64 no audio, but it looks like some" * 4000)
    tag.write_bytes(tag.read_bytes()[: 10 + (8 << 14)])
    assert_joined(join(tmp_path, "mp3", parts[0], tag, parts[1]), [300, 300, 600, 600])


def test_a_joint_within_the_declared_audio_is_found(tmp_path):
    """Programs that append files to each other's audio patch the first header."""
    parts = [
        sine(tmp_path / f"{f}.wav", "-ar", rate, frequency=f, seconds=1) for f, rate in ((300, "8000"), (600, "48000"))
    ]
    content = bytearray(join(tmp_path, "wav", *parts).read_bytes())
    data = content.index(b"data")
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    content[data + 4 : data + 8] = (len(content) - data - 8).to_bytes(4, "little")
    (tmp_path / "joined.wav").write_bytes(content)
    assert_joined(tmp_path / "joined.wav", [300, 300, 600, 600])


def test_a_part_that_was_cut_is_truncation(tmp_path):
    first = sine(tmp_path / "1.wav", frequency=300, seconds=2)
    first.write_bytes(first.read_bytes()[:100_000])
    pcm, found = decoded(join(tmp_path, "wav", first, sine(tmp_path / "2.wav", frequency=600, seconds=1)))
    assert found.is_truncated
    assert frequencies(pcm[-24_000:]) == [600, 600]


async def test_the_owner_learns_of_how_many_parts_a_file_consists(tmp_path):
    part = sine(tmp_path / "part.wav", seconds=1)
    found = await measure(join(tmp_path, "wav", part, part))
    assert found.samples == 2 * 24_000
    assert found.note == "It consists of 2 joined recordings."
