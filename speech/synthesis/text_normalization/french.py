"""How French reads numbers, dates, times, money, units, abbreviations and symbols."""

from speech.synthesis.text_normalization.rules import LanguageRules, number


def _read_time(hour: int, minute: int) -> str:
    hours = f"{'une' if hour == 1 else number(hour, 'fr')} {'heure' if hour < 2 else 'heures'}"
    return f"{hours} {number(minute, 'fr')}" if minute else hours


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
    thousands_separators="\u00a0\u202f.",
    decimal_point=",",
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
    symbols={
        "&": "et",
        "@": "arobase",
        "+": "plus",
        "=": "égale",
        "#": "dièse",
        "<": "inférieur à",
        ">": "supérieur à",
    },
    named_date=r"\d{{1,2}}(?:er)?\s{months}(?:\s\d{{4}})?",
    time=r"\b(?:[01]?\d|2[0-3])\s?[h:]\s?[0-5]\d\b|\b(?:[01]?\d|2[0-3])\s?h\b",
    ordinal_suffix=r"(?:ers?|res?|re|ère|ères|ème|èmes|nde?|es?)",
    decade=r"(?!)",
    read_day=lambda day: "premier" if day == 1 else number(day, "fr"),
    read_year=lambda year: number(year, "fr"),
    date_format="{day} {month} {year}",
    read_time=_read_time,
    dot="point",
    slash="barre oblique",
)
