"""How English reads numbers, dates, times, money, units, abbreviations and symbols."""

from speech.synthesis.text_normalization.rules import LanguageRules, number


def _read_time(hour: int, minute: int) -> str:
    if not minute:
        return f"{number(hour, 'en')} o'clock"
    return f"{number(hour, 'en')} {'oh ' if minute < 10 else ''}{number(minute, 'en')}"


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
    thousands_separators=",",
    decimal_point=".",
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
    symbols={"&": "and", "@": "at", "+": "plus", "=": "equals", "#": "number", "<": "less than", ">": "greater than"},
    ordinal_suffix=r"(?:st|nd|rd|th)",
    decade=r"(?<!\w)(?:(?:1[1-9]|20)\d|['’][1-9]|(?<=[Tt]he )[1-9])0s\b",
    named_date=(
        r"(?:{months}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?"
        r"|\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{months}(?:,?\s\d{{4}})?)"
    ),
    time=(
        r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b(?:\s?[ap]\.?m\b\.?)?"
        r"|\b(?:1[0-2]|[1-9])\s?[ap]\.?m\b\.?"
    ),
    read_day=lambda day: number(day, "en", "ordinal"),
    read_year=lambda year: number(year, "en", "year"),
    date_format="{month} {day} {year}",
    read_time=_read_time,
    dot="dot",
    slash="slash",
)
