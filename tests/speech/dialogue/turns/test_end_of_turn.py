"""Silence that ends a turn, by the text so far."""

import pytest

from speech.dialogue.turns.end_of_turn import CLAUSE, COMPLETE, DIGITS, UNCLEAR, UNFINISHED, silence_needed


@pytest.mark.parametrize(
    ("language", "text", "silence"),
    [
        ("en", "I would like to know more about ships.", COMPLETE),
        ("en", "What is it for?", COMPLETE),  # a question may end with an open word
        ("en", "He asked, “Who are they?”", COMPLETE),
        ("en", "Yes, I do!", COMPLETE),
        ("en", "“That works.”", COMPLETE),
        ("en", "That's a good one.", COMPLETE),
        ("en", "Let us meet at 5 p.m.", COMPLETE),
        ("en", "Write to anna@example.com.", COMPLETE),
        ("en", "", UNCLEAR),
        ("en", " … ", UNFINISHED),
        ("en", "I would like to know more", UNCLEAR),
        ("en", "anna@example", UNCLEAR),
        ("en", "Yes, I do.", UNCLEAR),
        ("de", "Ja, bin ich.", UNCLEAR),
        # goes on
        ("en", "I went there with.", UNFINISHED),  # engines add a period to fragments
        ("en", "No, that is", UNFINISHED),
        ("en", "I was there and", UNFINISHED),
        ("en", "I was there And.", UNFINISHED),
        ("en", "First of all,", CLAUSE),
        ("en", "I think –", UNFINISHED),
        ("en", "Well...", UNFINISHED),
        ("en", "Wait…", UNFINISHED),
        ("en", "I’m", UNFINISHED),
        ("en", "My address is anna at", UNFINISHED),
        ("en", "anna@", UNFINISHED),
        ("en", "anna at example dot", UNFINISHED),
        ("en", "um", UNFINISHED),
        # digits and letters
        ("en", "My number is 555", DIGITS),
        ("en", "My number is 555.", DIGITS),
        ("en", "Five five five", DIGITS),
        ("en", "Four two.", DIGITS),
        ("en", "It was in 1999.", DIGITS),
        ("en", "J. O. H. N.", DIGITS),
        ("en", "J-O-H", DIGITS),
        ("en", "Is it 555?", COMPLETE),
        ("en", "555,", CLAUSE),
        # other languages
        ("fr", "J’aimerais en savoir plus.", COMPLETE),
        ("fr", "Je pense que", UNFINISHED),
        ("fr", "Parce qu’il", UNFINISHED),
        ("fr", "C’est", UNFINISHED),
        ("fr", "l’", UNFINISHED),
        ("fr", "zéro six quarante", UNCLEAR),
        ("fr", "zéro six", DIGITS),
        ("fr-CA", "Il y a un chat et", UNFINISHED),
        ("de", "Ich möchte mehr wissen.", COMPLETE),
        ("de", "Ich glaube, dass", UNFINISHED),
        ("de", "Das ist und.", UNFINISHED),
        ("de", "null eins fünf", DIGITS),
        ("de", "Also,", UNFINISHED),
        ("es", "Quiero saber más.", COMPLETE),
        ("es", "¿Qué hora es?", COMPLETE),
        ("es", "Creo que", UNFINISHED),
        ("es", "Pan y", UNFINISHED),
        ("es", "cinco cinco", DIGITS),
        ("es-MX", "Pan y", UNFINISHED),
        # a language without a list has the English one
        ("it", "Vorrei sapere di più.", COMPLETE),
        ("", "and", UNFINISHED),
        ("zh", "你好。", COMPLETE),
        ("zh", "你好，", CLAUSE),
    ],
)
def test_silence_needed(language, text, silence):
    assert silence_needed(text, language) == silence
    assert silence_needed(f"{text} ", language) == silence


def test_the_less_complete_a_text_is_the_longer_the_silence():
    assert COMPLETE < UNCLEAR < CLAUSE < DIGITS < UNFINISHED
