"""How French reads numbers, dates, times, money, units, abbreviations and symbols."""

from speech.synthesis.text_normalization.rules import LanguageRules, number


def _read_time(hour: int, minute: int) -> str:
    hours = f"{'une' if hour == 1 else number(hour, 'fr')} {'heure' if hour < 2 else 'heures'}"
    return f"{hours} {number(minute, 'fr')}" if minute else hours


def _read_phone_group(digits: str) -> str:
    parts = [digits] if len(digits) <= 2 and not digits.startswith("0") else digits
    return " ".join(number(int(part), "fr") for part in parts)


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
    short_magnitudes={},
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
        "m/s": ("mètre par seconde", "mètres par seconde"),
        "km²": ("kilomètre carré", "kilomètres carrés"),
        "m²": ("mètre carré", "mètres carrés"),
        "m³": ("mètre cube", "mètres cubes"),
        "m": ("mètre", "mètres"),
        "g": ("gramme", "grammes"),
        "l": ("litre", "litres"),
        "L": ("litre", "litres"),
        "kWh": ("kilowattheure", "kilowattheures"),
        "kW": ("kilowatt", "kilowatts"),
        "W": ("watt", "watts"),
        "V": ("volt", "volts"),
        "GHz": ("gigahertz", "gigahertz"),
        "MHz": ("mégahertz", "mégahertz"),
        "s": ("seconde", "secondes"),
        "min": ("minute", "minutes"),
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
    time=r"\b(?:[01]?\d|2[0-3])(?:\s?h\s?|:)[0-5]\d(?::[0-5]\d)?\b|\b(?:[01]?\d|2[0-3])\s?h\b",
    ordinal_suffix=r"(?:ers?|res?|re|ère|ères|ème|èmes|nde?|es?)",
    decade=r"(?!)",
    read_day=lambda day: "premier" if day == 1 else number(day, "fr"),
    read_year=lambda year: number(year, "fr"),
    date_format="{day} {month} {year}",
    read_time=_read_time,
    midnight="minuit",
    numbered=(
        *("acte", "annexe", "article", "chapitre", "figure", "livre", "niveau", "numéro", "page", "partie", "phase"),
        *("scène", "section", "tableau", "titre", "tome", "type", "volume"),
    ),
    rulers=(
        *("Alexandre", "Benoît", "Catherine", "Charles", "Clément", "Édouard", "Élisabeth", "Ferdinand", "François"),
        *("Frédéric", "Georges", "Grégoire", "Guillaume", "Henri", "Innocent", "Jacques", "Jean", "Léon", "Léopold"),
        *("Louis", "Napoléon", "Nicolas", "Otton", "Paul", "Philippe", "Pie", "Pierre", "Ramsès", "Richard", "Urbain"),
    ),
    read_ruler=lambda value: "premier" if value == 1 else number(value, "fr"),
    fractions={
        2: ("demi", "demis"),
        3: ("tiers", "tiers"),
        4: ("quart", "quarts"),
        **{
            denominator: (word, f"{word}s")
            for denominator in (5, 6, 7, 8, 9, 10, 12, 16, 20, 100)
            for word in [number(denominator, "fr", "ordinal")]
        },
    },
    one_half=("un demi", "demi"),
    conjunction="et",
    between="à",
    phone=r"0\d(?:[^\S\n]\d{2}|[.-]\d{2}){4}",
    read_phone_group=_read_phone_group,
    dot="point",
    slash="barre oblique",
)
