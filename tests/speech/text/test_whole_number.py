import pytest

from speech.text.whole_number import MAX, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("٣", 3),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, MAX),
        ("9" * 5_000, MAX),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("x", None),
    ],
)
def test_a_number_is_read_however_long_it_is(text, number):
    assert whole_number(text) == number
