"""How English reads numbers, dates, times, money, units, abbreviations and symbols."""

from speech.synthesis.text_normalization.rules import LanguageRules, number, ordinal_fractions

O_CLOCK = "o'clock"


def _read_time(hour: int, minute: int) -> str:
    if not minute:
        return f"{number(hour, 'en')} {'hundred' if hour > 12 else O_CLOCK}"
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
    magnitudes="thousand|(?:m|b|tr)illions?",
    short_magnitudes={
        "k": "thousand",
        "K": "thousand",
        "m": "million",
        "M": "million",
        "bn": "billion",
        "B": "billion",
        "tn": "trillion",
    },
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
        "m/s": ("metre per second", "metres per second"),
        "km²": ("square kilometre", "square kilometres"),
        "m²": ("square metre", "square metres"),
        "m³": ("cubic metre", "cubic metres"),
        "km": ("kilometre", "kilometres"),
        "m": ("metre", "metres"),
        "ft": ("foot", "feet"),
        "mi": ("mile", "miles"),
        "cm": ("centimetre", "centimetres"),
        "mm": ("millimetre", "millimetres"),
        "kg": ("kilogram", "kilograms"),
        "mg": ("milligram", "milligrams"),
        "g": ("gram", "grams"),
        "lb": ("pound", "pounds"),
        "lbs": ("pound", "pounds"),
        "oz": ("ounce", "ounces"),
        "l": ("litre", "litres"),
        "L": ("litre", "litres"),
        "ml": ("millilitre", "millilitres"),
        "GB": ("gigabyte", "gigabytes"),
        "MB": ("megabyte", "megabytes"),
        "TB": ("terabyte", "terabytes"),
        "kB": ("kilobyte", "kilobytes"),
        "kWh": ("kilowatt hour", "kilowatt hours"),
        "kW": ("kilowatt", "kilowatts"),
        "W": ("watt", "watts"),
        "V": ("volt", "volts"),
        "GHz": ("gigahertz", "gigahertz"),
        "MHz": ("megahertz", "megahertz"),
        "kHz": ("kilohertz", "kilohertz"),
        "Hz": ("hertz", "hertz"),
        "ms": ("millisecond", "milliseconds"),
        "s": ("second", "seconds"),
        "min": ("minute", "minutes"),
        "h": ("hour", "hours"),
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
        r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?\b(?:\s?[ap]\.?m\b\.?)?"
        r"|\b(?:1[0-2]|[1-9])\s?[ap]\.?m\b\.?"
    ),
    read_day=lambda day: number(day, "en", "ordinal"),
    read_year=lambda year: number(year, "en", "year"),
    date_format="{month} {day} {year}",
    read_time=_read_time,
    midnight="midnight",
    numbered=(
        *("act", "appendix", "article", "book", "canto", "chapter", "class", "figure", "lesson", "level", "number"),
        *("page", "part", "phase", "scene", "section", "stage", "table", "type", "unit", "volume", "war"),
    ),
    rulers=(
        *("Alexander", "Benedict", "Catherine", "Charles", "Clement", "Edward", "Elizabeth", "Ferdinand", "Francis"),
        *("Frederick", "George", "Gregory", "Gustav", "Henry", "Innocent", "Ivan", "James", "John", "Leo", "Leopold"),
        *("Louis", "Mary", "Napoleon", "Nicholas", "Otto", "Paul", "Peter", "Philip", "Pius", "Ramses", "Richard"),
        *("Sixtus", "Urban", "Wilhelm", "William"),
    ),
    read_ruler=lambda value: f"the {number(value, 'en', 'ordinal')}",
    fractions={
        2: ("half", "halves"),
        3: ("third", "thirds"),
        4: ("quarter", "quarters"),
        **ordinal_fractions("en"),
    },
    one_half=("one half", "a half"),
    conjunction="and",
    between="to",
    phone=(
        r"\(\d{3,5}\)(?:[^\S\n]?[-.]?\d{3,4}){2}|0\d{2,4}(?:[^\S\n]\d{3,4}){2}"
        r"|\d{3}[-.]\d{3}[-.]\d{4}|555-\d{4}|[2-9]\d{2}-0\d{3}|(?<=[Cc]all )\d{3}-\d{4}"
    ),
    read_phone_group=lambda digits: " ".join(number(int(digit), "en") for digit in digits),
    dot="dot",
    slash="slash",
)
