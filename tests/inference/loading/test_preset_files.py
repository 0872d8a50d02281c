import pytest

from inference.loading.preset_files import InvalidPreset, PresetFile

TEXT = """\
# [mine]
[other]
slots = 1

["my.own"]      # a comment
slots = 2
endpointing.pause = 0.5
languages = { de = "Deutsch" }

  [mine.endpointing]
"max_turn" = 9

[mine]
slots = 3

[nested.endpointing.unknown]
"""


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes) -> PresetFile:
        (tmp_path / "own.toml").write_bytes(content.encode() if isinstance(content, str) else content)
        return PresetFile.read(tmp_path / "own.toml")

    return read


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("other",), 2),
        (("other", "slots"), 3),
        (("my.own",), 5),
        (("my.own", "slots"), 6),
        (("my.own", "endpointing", "pause"), 7),
        (("my.own", "languages", "de"), 8),
        (("mine", "endpointing"), 10),
        (("mine", "endpointing", "max_turn"), 11),
        (("mine", "slots"), 14),
        (("mine",), 13),
        (("mine", "label"), 13),
        (("nested",), 16),
        (("nested", "endpointing"), 16),
        (("unknown",), 1),
    ],
)
def test_a_value_is_found_in_the_file(read, keys, line):
    assert read(TEXT).line_of(*keys) == line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[mine]\nslots = 1\nlabel = \nmodel = 3\n", r"own\.toml, line 3: not valid TOML: "),
        ('[mine]\nlabel = """\n', r"own\.toml, line 2: not valid TOML: "),
        ("[mine]\n[other]\n[mine]\n", r"own\.toml, line 3: not valid TOML: "),
        (b'[mine]\nlabel = "\xff"\n', r"own\.toml, line 2: not UTF-8 text\. Save the file as UTF-8"),
        ("\nslots = 3\n[mine]\n", r"own\.toml, line 2: “slots” is outside a preset\. Put it below a line such as"),
        ("\n[[mine]]\nslots = 3\n", r"own\.toml, line 2: “mine” is outside a preset"),
    ],
)
def test_a_file_that_is_not_a_list_of_presets_is_reported_with_the_line(read, content, message):
    with pytest.raises(InvalidPreset, match=message):
        read(content)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(InvalidPreset, match=r"Can't read PRESETS_FILE .*/own\.toml: No such file"):
        PresetFile.read(tmp_path / "own.toml")
