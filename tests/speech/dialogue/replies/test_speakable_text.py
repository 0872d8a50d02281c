"""Markdown that a language model writes, and what of it is spoken."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from speech.dialogue.replies.reply import MAX_TEXT
from speech.dialogue.replies.speakable_text import SpeakableText


def returned(*chunks):
    """What each call returns."""
    text = SpeakableText()
    return [*map(text.feed, chunks), text.finish()]


def speakable(*chunks):
    return "".join(returned(*chunks))


def fed_until_now(text):
    return SpeakableText().feed(text)


@pytest.mark.parametrize(
    ("markdown", "spoken"),
    [
        ("Sure, that is a good question.", "Sure, that is a good question."),
        ("  Two   spaces \n\n\n\nand\tlines\r\nhere", "Two spaces\n\nand lines\nhere"),
        # emphasis
        ("This is **bold**, *it*, ***both***, __bold__ and _it_.", "This is bold, it, both, bold and it."),
        ("**[a link](https://x.org)** and _`code`_", "a link and code"),
        ("~~gone~~ ~5 minutes", "gone ~5 minutes"),
        ("2 * 3 * 4 = 24, 2*3*4, 2**3 and 5 ** 3", "2 * 3 * 4 = 24, 2*3*4, 2**3 and 5 ** 3"),
        ("snake_case, file_name.py, __init__ and C#", "snake_case, file_name.py, init and C#"),
        (r"\*not\* emphasis, C:\path", r"*not* emphasis, C:\path"),
        # links and addresses
        ("See [the page](https://x.org/y_(z)) here.", "See the page here."),
        ('See [the page](https://x.org "Its title").', "See the page."),
        ("![A ship](ship.png) sails.", "A ship sails."),
        ("[1] and [note](see below) stay", "[1] and [note](see below) stay"),
        ("At https://www.example.com/a/b?c=1. Or http://localhost:8000/x!", "At example.com. Or localhost!"),
        ("(https://en.wikipedia.org/wiki/X_(y)), **https://x.org**", "(en.wikipedia.org), x.org"),
        ("Visit www.example.org/page, or <https://example.net/page>", "Visit example.org, or example.net"),
        ("E-mail a.b@example.com, <c@x.org> or mailto:d@x.org.", "E-mail a.b@example.com, c@x.org or d@x.org."),
        # headings and rules
        ("## Steps\nText", "Steps.\nText"),
        ("# What now?\nText", "What now?\nText"),
        ("**Step one**\nText", "Step one.\nText"),
        ("One\n\n---\n\n* * *\n===\nTwo", "One\n\nTwo"),
        ("#tag and # alone", "#tag and # alone"),
        # lists
        ("- an egg\n* some *salt*\n+ water!\n• done", "an egg.\nsome salt.\nwater!\ndone."),
        ("1. Boil water\n2) Add `salt`\n10. Eat.", "1. Boil water.\n2) Add salt.\n10. Eat."),
        ("- one\n  - two\n    1. three", "one.\ntwo.\n1. three."),
        ("- [ ] to do\n- [x] done\n- [x](u) link", "to do.\ndone.\nx link."),
        ("- **Term**: what it is\n- and:\n", "Term: what it is.\nand:\n"),
        ("-5 degrees", "-5 degrees"),
        ("2024. It was a year", "2024. It was a year"),
        # quotations
        ("> quoted\n>> twice\n> - item", "quoted\ntwice\nitem."),
        # tables
        ("| a | b |\n|:--|--:|\n| `1` | **two** |\n\nAfter", "a, b.\n1, two.\n\nAfter"),
        ("a | b\n--- | ---\n1 | 2", "a | b\n1 | 2"),
        # code
        ("Code:\n```python\nprint('hi')\n\n# no\n```\nThat was it.", "Code:\nThat was it."),
        ("~~~\n```\n~~~\nDone", "Done"),
        ("````\n```\n````\nDone", "Done"),
        ("Use `<div>`, `a[0]`, `**kwargs` or ``x ` y``.", "Use <div>, a[0], **kwargs or x ` y."),
        ("```inline``` code", "inline code"),
        # HTML
        ("Some <b>bold</b> <a href='x y'>text</a><br>here<!-- not this -->.", "Some bold text here."),
        ("1 < 2 > 0, a <b and c> d, I <3 you", "1 < 2 > 0, a <b and c> d, I <3 you"),
        # emoji
        ("Great! 😀 Next 👨‍👩‍👧‍👦 👍🏽", "Great! Next"),
        ("- Boil 💧\n1️⃣ One ❤️", "Boil.\n1 One"),
        # unclosed constructs
        ("He said: ![x and more", "He said: ![x and more"),
        ("[open](https://x.org/", "[open](x.org"),
        ("**open and `open", "open and open"),
        ("<a href='x", "<a href='x"),
        ("Look:\n```\nnever closed", "Look:\n"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_markdown(markdown, spoken):
    assert speakable(markdown) == spoken
    assert speakable(*markdown) == spoken


THINKING = "<think>hmm, 5 * 3\n```\nok</think>\n\nHello there. <thinking>More</thinking> It's a `<think>` tag."


def test_reasoning_is_left_out_however_it_is_split():
    spoken = "Hello there. It's a <think> tag."
    for first, second in itertools.combinations(range(len(THINKING)), 2):
        chunks = THINKING[:first], THINKING[first:second], THINKING[second:]
        assert speakable(*chunks) == spoken


def test_reasoning_without_an_end_is_left_out():
    assert speakable("Hello.\n<think>but then again") == "Hello.\n"
    assert speakable("Hello <thin", "g> there <t") == "Hello there <t"


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("Hello the", "Hello"),
        ("Hello", ""),
        ("Hello there. ", "Hello there."),
        ("Here is the code:\n", "Here is the code:\n"),  # the space behind it lets it be spoken before the code ends
        ("Here is the code:\n```\nlong", "Here is the code:\n"),
        ("Then [a long text", "Then"),
        ("Then [a note] of", "Then [a note]"),
        ("Then `some code", "Then"),
        ("Then <b class", "Then"),
        ("- an egg ", "an"),  # it may get a period
        ("**Step one** ", "Step"),
        ("**Step** one ", "Step"),
        ("1.", ""),
        ("* * ", ""),
        ("| a | b ", ""),
    ],
)
def test_words_are_returned_once_they_are_certain(text, certain):
    assert fed_until_now(text) == certain


def test_an_open_mark_delays_only_what_is_near():
    for mark in ("`", "[", "<b ", "<!-- ", "**", "_"):
        assert "near" in fed_until_now(f"{mark}it is near " + "and more " * 100)


PIECES = (
    *(
        "a",
        "bc",
        "word",
        "é",
        "5",
        ".",
        ",",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "'",
        '"',
        "/",
        "\\",
        "|",
        "---",
        "|-",
    ),
    *("`", "``", "```", "~~~", "*", "**", "_", "__", "[", "]", "(", ")", "](", "<", ">", "!", "=", "<b", "<!--", "-->"),
    *("<think>", "</think>", "thi", "1. ", "- ", "# ", "> ", "[x] ", "https://x.org/", "www.", "x@y.z", "mailto:"),
    *("😀", "\u200d", "\ufe0f"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.lists(st.integers(1, 20), max_size=200))
@example('`-/``x"1. |"`|---!(]``  x', [1] * 100)  # the last space lay within code
@example('<!--x@y.z> c" 5-->[a', [1] * 100)
def test_chunks_do_not_matter_and_words_are_returned_whole(text, lengths):
    positions = [
        0,
        *itertools.takewhile(lambda position: position < len(text), itertools.accumulate(lengths)),
        len(text),
    ]
    chunks = [text[start:end] for start, end in itertools.pairwise(positions)]
    parts = [part for part in returned(*chunks) if part]
    assert "".join(parts) == speakable(text)
    assert all(before[-1] in " \n" or after[0] in " \n" for before, after in itertools.pairwise(parts))


@pytest.mark.parametrize("unit", ["Sure, **that** is _it_. ", "[", "`a ", "<a b=", "*", "x", "| a ", 'https://x/(a)"b'])
def test_degenerate_text_of_the_largest_size_is_filtered_like_any_other(unit):
    """It takes 0.2 s; with time that grows with the square of the size, the test would time out."""
    markdown = (unit * MAX_TEXT)[:MAX_TEXT]
    chunks = [markdown[start : start + 3] for start in range(0, len(markdown), 3)]
    assert "".join(returned(*chunks)) == speakable(markdown)
