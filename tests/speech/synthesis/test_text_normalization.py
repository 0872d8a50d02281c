import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.synthesis.text_normalization.normalizer import TextNormalizer

BREAK = '<break time="1s"/>'


def normalize(text, language="en-US"):
    normalizer = TextNormalizer(language)
    return " ".join(word.text for word in normalizer.feed(text) + normalizer.finish())


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It cost $5.50, or $3 million.", "It cost five dollars and fifty cents, or three million dollars."),
        ("One euro: €1.01", "One euro: one euro and one cent"),
        ("In 1996 (or 2005)", "In nineteen ninety-six or two thousand and five"),
        (
            "2,345.67 km at -5 °C, 20%!",
            "two thousand three hundred and forty-five point six seven kilometres at minus "
            "five degrees Celsius, twenty percent!",
        ),
        ("On March 15, 2024 at 2:30 pm", "On March fifteenth twenty twenty-four at two thirty p m"),
        ("Born 2024-03-15.", "Born March fifteenth twenty twenty-four."),
        ("Dr. Smith's 3rd try, e.g. today", "Doctor Smith's third try, for example today"),
        ("5-10 people & more", "five to ten people and more"),
        ("No. 5 is it? No. Not a.m. no.", "Number five is it? No. Not a.m. no."),
        ("221B Baker St., by St. Mary's St.", "221B Baker Street, by Saint Mary's Street"),
        ("Since the 1980s, '90s and the 20s", "Since the nineteen eighties, nineties and the twenties"),
        ("The 1900s, 2000s, 2010s; 10s", "The nineteen hundreds, two thousands, twenty tens; 10s"),
        ("Call 0612", "Call zero six one two"),
        ("Mail a.b@example.org", "Mail a dot b at example dot org"),
        ("R&D and/or *bold*", "R and D and or bold"),
        ("He came — late", "He came, late"),
        ("In 1984, 2024 and 1066", "In nineteen eighty-four, twenty twenty-four and one thousand and sixty-six"),
        (
            "1914–1918, 1914-18, pages 5–10",
            "nineteen fourteen to nineteen eighteen, nineteen fourteen to eighteen, pages five to ten",
        ),
        (
            "10:30, 14:05, 14:00, 9:00, 0:00 and 10:30:15",
            "ten thirty, fourteen oh five, fourteen hundred, nine o'clock, midnight and ten thirty and fifteen seconds",
        ),
        ("+1 555 0199", "plus one, five five five, zero one nine nine"),
        ("+1 (555) 123-4567.", "plus one, five five five, one two three, four five six seven."),
        ("(020) 7946 0018", "zero two zero, seven nine four six, zero zero one eight"),
        (
            "Call 555-0199 or 555-123-4567",
            "Call five five five, zero one nine nine or five five five, one two three, four five six seven",
        ),
        ("300-400 people", "three hundred to four hundred people"),
        ("Chapter IV, Act III, Part I", "Chapter four, Act three, Part one"),
        ("Henry VIII and Louis XIV's son", "Henry the eighth and Louis the fourteenth's son"),
        ("World War II, Rocky IV", "World War two, Rocky four"),
        ("I'll say I’m “I”, I/O and V-shaped", "I'll say I'm I, I O and V-shaped"),
        ("I'll go, I’ve been there, I'm sure", "I'll go, I've been there, I'm sure"),
        ("I met Malcolm X; vitamin C, a CD, an IV, size XL", "I met Malcolm X; vitamin C, a CD, an IV, size XL"),
        (
            "5 km/h, 3 kg, 20 °C, 10 %, 5 m, 60 m², 2 h, 16 GB",
            "five kilometres per hour, three kilograms, "
            "twenty degrees Celsius, ten percent, five metres, sixty square metres, two hours, sixteen gigabytes",
        ),
        (
            "1/2, 3/4, 2 1/2 and 2½, ⅓, 24/7",
            "one half, three quarters, two and a half and two and a half, one third, twenty-four seven",
        ),
        ("# Heading\n## 2. Other\nText", "Heading <0.5s> two. Other <0.5s> Text"),
        ("# Heading\n\nText", "Heading <0.5s> Text"),
        ("> quoted\n* one\n+ two\n• three\n- four", "quoted one two three, four"),
        (
            "$5bn, $3 m, -$5 and $-1.50",
            "five billion dollars, three million dollars, minus five dollars and minus one dollar and fifty cents",
        ),
        (
            "$5\nmillion, $1.5\u00a0billion, 5\u00a0million\u2009€",
            "five million dollars, one point five billion dollars, five million euros",
        ),
        ("5\u00a0millions €", "five millions euros"),
    ],
)
def test_english_is_normalized(written, spoken):
    assert normalize(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Il coûte 5,50 € ou 3 millions €.", "Il coûte cinq euros cinquante ou trois millions de euros."),
        ("Le 1er mars 2024 à 14h30", "Le premier mars deux mille vingt-quatre à quatorze heures trente"),
        ("M. Dupont et Mme Durand", "Monsieur Dupont et Madame Durand"),
        ("de A à M. ensuite", "de A à M. ensuite"),
        ("le 3e n° 5", "le troisième numéro cinq"),
        ("15/03/2024 : 20 %", "quinze mars deux mille vingt-quatre: vingt pour cent"),
        ("06 12 34 56 78", "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit"),
        ("Louis XIV, François Ier au XIXe siècle", "Louis quatorze, François premier au dix-neuvième siècle"),
        ("Chapitre IV : 2 1/2, 3 m", "Chapitre quatre: deux et demi, trois mètres"),
        ("1,5\u00a0million €, 5\nmillions €", "un virgule cinq million de euros, cinq millions de euros"),
    ],
)
def test_french_is_normalized(written, spoken):
    assert normalize(written, "fr-FR") == spoken


def test_other_languages_are_left_to_the_engine():
    assert normalize("Es kostet 5 € am 3.4.", "de") == "Es kostet 5 € am 3.4."


def test_pauses_become_words():
    assert normalize(f"One {BREAK} two [pause:0.5s] three\n\nfour") == "One <1s> two <0.5s> three <0.5s> four"
    assert normalize("One [pause 1s] two [pause 300ms] three [pause:2]") == "One <1s> two <0.3s> three <2s>"
    assert normalize('<break time="250ms"/> <break time="99999s"/>') == "<0.25s> <10s>"
    assert normalize("<speak><p>One</p> two</speak>") == "One <0.5s> two"


def test_the_result_does_not_depend_on_how_the_text_is_split():
    text = f"It cost $5 million on March 15, 2024 at 2:30 pm {BREAK} in 1996. 3 kg of 1st class… (or 2) 5 km/h\n\nEnd. "
    text += "Baker St. at St. Mary's St. is it, No. 5? No. It was in the 80s. "
    text += "# Heading of X\n## 2. Other\nCall +1 555 0199 or (020) 7946 0018. Henry VIII in "
    text += "Chapter IV. 2 1/2 or 2½\n> a\n  + b "
    for size in (1, 2, 3, 7):
        normalizer = TextNormalizer("en")
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        words = [word for chunk in chunks for word in normalizer.feed(chunk)] + normalizer.finish()
        assert " ".join(word.text for word in words) == normalize(text)


def test_complete_words_are_not_held_back():
    normalizer = TextNormalizer("en")
    assert [word.text for word in normalizer.feed("Hello there, ")] == ["Hello", "there,"]
    assert normalizer.feed("5 ") == []
    assert [word.text for word in normalizer.feed("ducks ")] == ["five", "ducks"]


def test_every_word_has_its_span_in_the_text():
    text = "On March 15, 2024 we paid $5 million, well."
    normalizer = TextNormalizer("en")
    words = normalizer.feed(text) + normalizer.finish()
    spans = list(dict.fromkeys(text[word.first : word.end] for word in words))
    assert spans == ["On", "March 15, 2024", "we", "paid", "$5 million", "well."]


def test_unspeakable_text_is_listed():
    normalizer = TextNormalizer("en")
    words = normalizer.feed("Hi 😀 there 日本語 — ok\x00") + normalizer.finish()
    assert [word.text for word in words] == ["Hi", "there,", "ok"]
    assert [(skipped.text, skipped.first) for skipped in normalizer.skipped] == [("😀", 3), ("日本語", 11)]


@pytest.mark.parametrize("text", ["", "   ", "\n\n\n", "...", "😀"])
def test_text_without_words_gives_no_words(text):
    normalizer = TextNormalizer("en")
    assert [word for word in normalizer.feed(text) + normalizer.finish() if not word.is_pause] == []


@pytest.mark.parametrize(
    "text", ["a" * 5000, "9" * 500, "<" * 300, "1/1/1/1" * 50, "$ 5" * 9, "99:99 32/13/2024 1e5 .5 5."]
)
def test_unusual_text_gives_words_of_limited_length(text):
    words = normalize(text).split()
    assert words
    assert max(map(len, words)) <= 60


SPACES = " \n\t\u00a0\u1680\u2003\u2009\u2028\u202f\u3000\x1c\x85"
FRAGMENTS = [
    *("$", "€", "¥", "-", "−", "+", "/", ":", ".", ",", "%", "°", "#", "<", "½", "²", "(", ")", "'", "@", "-$"),
    *("0", "5", "00", "12", "1984", "31", "999999999999999999", "٣", "९", "５", "1٣", "①"),
    *("million", "millions", "mille", "milliard", "bn", "km/h", "m", "h", "s", "am", "IV", "Ier", "XIXe", "VIII's"),
    *("March", "Mai", "Jan", "st", "e", "er", "th", "Henry", "Chapter", "No.", "M.", "<p>", "https://a.com", "\ud800"),
    *SPACES,
]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=2)), max_size=14),
    st.sampled_from(["en", "fr", "de"]),
)
def test_no_text_raises_or_loses_digits(fragments, language):
    text = "".join(fragments)
    words = normalize(text, language)
    assert words or not any(character.isascii() and character.isdigit() for character in text)


@pytest.mark.parametrize("space", SPACES)
def test_any_space_separates_an_amount_from_its_magnitude(space):
    assert normalize(f"$5{space}million and 5{space}km") == "five million dollars and five kilometres"
    assert normalize(f"5{space}millions{space}€", "fr") == "cinq millions de euros"


def test_a_token_whose_reading_fails_is_left_to_the_engine(monkeypatch):
    def fail(self, match):
        raise ArithmeticError("unforeseen")

    monkeypatch.setattr("speech.synthesis.text_normalization.verbalizer.Verbalizer.number", fail)
    assert normalize("We have 17 ducks & 1st prize.") == "We have 17 ducks and first prize."
