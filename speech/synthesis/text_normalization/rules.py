"""How English and French read what is written in figures and signs."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from num2words import num2words


@dataclass(frozen=True)
class LanguageRules:
    lang: str
    """As num2words knows it."""
    months: tuple[str, ...]
    magnitudes: str
    thousands: str
    point: str
    money: dict[str, tuple[str, str, str, str]]
    """One, several, one hundredth part of it, several of them."""
    units: dict[str, tuple[str, str]]
    abbreviations: dict[str, str]
    """By regular expressions: of some it depends on what is beside them what they are short for."""
    depends_on_next: str
    """Those of them of which it depends on what follows; this, and the next four, are regular expressions."""
    signs: dict[str, str]
    ordinal: str
    """What makes one of a number."""
    decade: str
    named_date: str
    time: str
    day: Callable[[int], str]
    year: Callable[[int], str]
    date: str
    clock: Callable[[int, int], str]
    dot: str
    slash: str


def number(value: Decimal | int, lang: str, to: str = "cardinal") -> str:
    return str(num2words(value, lang=lang, to=to)).replace(",", "")


def _english_clock(hour: int, minute: int) -> str:
    if not minute:
        return f"{number(hour, 'en')} o'clock"
    return f"{number(hour, 'en')} {'oh ' if minute < 10 else ''}{number(minute, 'en')}"


def _french_clock(hour: int, minute: int) -> str:
    hours = f"{'une' if hour == 1 else number(hour, 'fr')} {'heure' if hour < 2 else 'heures'}"
    return f"{hours} {number(minute, 'fr')}" if minute else hours


ENGLISH = LanguageRules(
    lang="en",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    magnitudes="thousand|million|billion|trillion",
    thousands=",",
    point=".",
    money={
        "$": ("dollar", "dollars", "cent", "cents"),
        "€": ("euro", "euros", "cent", "cents"),
        "£": ("pound", "pounds", "penny", "pence"),
        "¥": ("yen", "yen", "sen", "sen"),
    },
    units={
        "km/h": ("kilometre per hour", "kilometres per hour"),
        "mph": ("mile per hour", "miles per hour"),
        "km": ("kilometre", "kilometres"),
        "cm": ("centimetre", "centimetres"),
        "mm": ("millimetre", "millimetres"),
        "kg": ("kilogram", "kilograms"),
        "mg": ("milligram", "milligrams"),
        "ml": ("millilitre", "millilitres"),
        "GB": ("gigabyte", "gigabytes"),
        "MB": ("megabyte", "megabytes"),
        "kHz": ("kilohertz", "kilohertz"),
        "Hz": ("hertz", "hertz"),
        "ms": ("millisecond", "milliseconds"),
        "°C": ("degree Celsius", "degrees Celsius"),
        "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
        "°": ("degree", "degrees"),
        "%": ("percent", "percent"),
    },
    abbreviations={
        r"Mr\.": "Mister",
        r"Mrs\.": "Missus",
        r"Ms\.": "Miz",
        r"Dr\.": "Doctor",
        r"Prof\.": "Professor",
        r"(?<=[a-z] )St\.(?!\s*[A-Z])": "Street",
        r"St\.": "Saint",
        r"Jr\.": "Junior",
        r"Sr\.": "Senior",
        r"No\.(?=\s?\d)": "Number",
        r"vs\.": "versus",
        r"approx\.": "approximately",
        r"dept\.": "department",
        r"e\.g\.": "for example",
        r"i\.e\.": "that is",
        r"etc\.": "et cetera",
    },
    depends_on_next=r"St\.|No\.",
    signs={"&": "and", "@": "at", "+": "plus", "=": "equals", "#": "number", "<": "less than", ">": "greater than"},
    ordinal=r"(?:st|nd|rd|th)",
    decade=r"(?<!\w)(?:(?:1[1-9]|20)\d|['’][1-9]|(?<=[Tt]he )[1-9])0s\b",
    named_date=(
        r"(?:{months}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?"
        r"|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{months}(?:,?\s\d{{4}})?)"
    ),
    time=(
        r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b(?:\s?[ap]\.?m\b\.?)?"
        r"|\b(?:1[0-2]|[1-9])\s?[ap]\.?m\b\.?"
    ),
    day=lambda day: number(day, "en", "ordinal"),
    year=lambda year: number(year, "en", "year"),
    date="{month} {day} {year}",
    clock=_english_clock,
    dot="dot",
    slash="slash",
)
FRENCH = LanguageRules(
    lang="fr",
    months=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    magnitudes="mille|millions?|milliards?",
    thousands="\u00a0\u202f.",
    point=",",
    money={
        "€": ("euro", "euros", "", ""),
        "$": ("dollar", "dollars", "", ""),
        "£": ("livre", "livres", "", ""),
        "¥": ("yen", "yens", "", ""),
    },
    units={
        "km/h": ("kilomètre par heure", "kilomètres par heure"),
        "km": ("kilomètre", "kilomètres"),
        "cm": ("centimètre", "centimètres"),
        "mm": ("millimètre", "millimètres"),
        "kg": ("kilogramme", "kilogrammes"),
        "mg": ("milligramme", "milligrammes"),
        "ml": ("millilitre", "millilitres"),
        "Go": ("gigaoctet", "gigaoctets"),
        "Mo": ("mégaoctet", "mégaoctets"),
        "kHz": ("kilohertz", "kilohertz"),
        "Hz": ("hertz", "hertz"),
        "ms": ("milliseconde", "millisecondes"),
        "°C": ("degré Celsius", "degrés Celsius"),
        "°": ("degré", "degrés"),
        "%": ("pour cent", "pour cent"),
    },
    abbreviations={
        r"M\.(?=\s*[A-ZÀ-Ý])": "Monsieur",
        r"MM\.": "Messieurs",
        r"Mmes": "Mesdames",
        r"Mme": "Madame",
        r"Mlle": "Mademoiselle",
        r"Dr": "Docteur",
        r"Pr": "Professeur",
        r"Ste": "Sainte",
        r"St": "Saint",
        r"n°": "numéro",
        r"etc\.": "et cetera",
        r"p\. ex\.": "par exemple",
        r"c\.-à-d\.": "c'est-à-dire",
        r"env\.": "environ",
    },
    depends_on_next=r"M\.",
    signs={"&": "et", "@": "arobase", "+": "plus", "=": "égale", "#": "dièse", "<": "inférieur à", ">": "supérieur à"},
    named_date=r"\d{{1,2}}(?:er)?\s{months}(?:\s\d{{4}})?",
    time=r"\b(?:[01]?\d|2[0-3])\s?[h:]\s?[0-5]\d\b|\b(?:[01]?\d|2[0-3])\s?h\b",
    ordinal=r"(?:ers?|res?|re|ère|ères|ème|èmes|nde?|es?)",
    decade=r"(?!)",
    day=lambda day: "premier" if day == 1 else number(day, "fr"),
    year=lambda year: number(year, "fr"),
    date="{day} {month} {year}",
    clock=_french_clock,
    dot="point",
    slash="barre oblique",
)
LANGUAGES = {"en": ENGLISH, "fr": FRENCH}
