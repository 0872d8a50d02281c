"""Rules of a language for reading numbers and symbols aloud, and the patterns built from them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from num2words import num2words

_BREAK = r'<break\s+time\s*=\s*"\s*\d+(?:\.\d+)?\s*m?s\s*"\s*/?>|\[pause[:\s]\s*\d+(?:\.\d+)?\s*(?:m?s)?\]'
_HEADING = r"(?<![^\n])[^\S\n]*#{1,6}[^\S\n]+(?=\S|\Z)"
_LINE_MARK = r"(?<![^\n])[^\S\n]*(?:[>*•][^\S\n]+(?=\S|\Z)|\+[^\S\n]+(?=[^\W\d]))"
_OPEN_MARK = r"(?<![^\n])[^\S\n]*(?:#{1,6}|[>+*•])\s*"
VULGAR_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_TAG = r"</?(?:speak|p|s|emphasis|prosody|voice|say-as|sub|phoneme|lang|mark)\b[^<>]*>"


@dataclass(frozen=True)
class LanguageRules:
    """Rules of one language.

    `magnitudes`, `depends_on_next`, `ordinal_suffix`, `decade`, `named_date` and `time` are regular expressions;
    `named_date` is also a format string with `{months}`.
    """

    lang: str
    """num2words' language code."""
    months: tuple[str, ...]
    magnitudes: str
    """Words such as "million"."""
    short_magnitudes: dict[str, str]
    """Full form by the abbreviation that follows an amount of money directly: "$5bn"."""
    thousands_separators: str
    decimal_point: str
    money: dict[str, tuple[str, str, str, str]]
    """Unit singular and plural, hundredth singular and plural, by currency symbol."""
    units: dict[str, tuple[str, str]]
    """Singular and plural by unit symbol."""
    abbreviations: dict[str, str]
    """Full form by regular expression; the meaning of some depends on the text around them."""
    depends_on_next: str
    """Abbreviations whose meaning depends on the text that follows."""
    symbols: dict[str, str]
    ordinal_suffix: str
    decade: str
    named_date: str
    time: str
    read_day: Callable[[int], str]
    read_year: Callable[[int], str]
    date_format: str
    """Format string with `{day}`, `{month}` and `{year}`."""
    read_time: Callable[[int, int], str]
    """Hour and minute to words."""
    midnight: str
    numbered: tuple[str, ...]
    """What is numbered in Roman numerals, in lower case, such as "chapter"."""
    rulers: tuple[str, ...]
    """Names that are followed by Roman numerals."""
    read_ruler: Callable[[int], str]
    """The number of a ruler to words."""
    fractions: dict[int, tuple[str, str]]
    """Singular and plural by denominator."""
    one_half: tuple[str, str]
    """1/2 alone, and after a whole number."""
    conjunction: str
    between: str
    """Word between the ends of a span."""
    phone: str
    """Regular expression of the national forms of telephone numbers."""
    read_phone_group: Callable[[str], str]
    """The digits of a group of a telephone number to words."""
    dot: str
    slash: str


def number(value: Decimal | int, lang: str, to: str = "cardinal") -> str:
    return str(num2words(value, lang=lang, to=to)).replace(",", "")


def ordinal_fractions(lang: str) -> dict[int, tuple[str, str]]:
    """The singular and plural of the denominators that are named by their ordinal: fifth, fifths."""
    denominators = (5, 6, 7, 8, 9, 10, 12, 16, 20, 100)
    ordinals = {each: number(each, lang, "ordinal") for each in denominators}
    return {each: (ordinal, f"{ordinal}s") for each, ordinal in ordinals.items()}


def month_number(rules: LanguageRules, name: str) -> int:
    """1 to 12, from the month's name or abbreviation."""
    for index, month in enumerate(rules.months, 1):
        if month.lower().startswith(name.lower().rstrip(".")):
            return index
    return 1


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_GAP = r"(?:[^\S\n]|[.-])?"
"""What may stand between the groups of a telephone number."""


def _months(rules: LanguageRules) -> str:
    """Regular expression of the months' names and their abbreviations."""
    names = [month if len(month) < 5 else rf"{month}|{month[:3]}\.?" for month in rules.months]
    return f"(?:{'|'.join(names)})"


def token_pattern(rules: LanguageRules | None) -> re.Pattern[str]:
    """Pattern of one token; the name of its group is the kind of token."""
    groups = {"break": _BREAK, "tag": _TAG, "paragraph": r"\n\s*\n\s*", "line_end": r"\n"}
    groups |= {"heading": _HEADING, "line_mark": _LINE_MARK}
    if rules:
        groups |= _groups(rules)
    groups["word"] = r"[^\s—–…<]+…?|\S"
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups.items()))


def _groups(rules: LanguageRules) -> dict[str, str]:
    """Patterns of the tokens that are not plain words; a pattern that includes others comes first."""
    digits = rf"\d+(?:[{rules.thousands_separators}]\d{{3}})*(?:{re.escape(rules.decimal_point)}\d+)?"
    amount = rf"(?<!\w)[-−+]?{digits}"
    currencies, months, magnitudes = f"[{''.join(rules.money)}]", _months(rules), rules.magnitudes
    short = _alternatives(rules.short_magnitudes) or "(?!)"
    domain = r"(?:[\w-]+\.)+(?:com|org|net|fr|io|edu|gov|uk|de|eu)"
    return {
        "phone": rf"(?<![\w+])(?:\+\d{{1,3}}(?:{_GAP}\(?\d{{1,4}}\)?){{2,6}}|{rules.phone})(?!\w|[-.]\d)",
        "opening": r"[(\[{\"“«‘¿¡]+(?=\S)",
        "address": rf"https?://\S*[\w/]|[\w.+-]+@(?:[\w-]+\.)+\w+|\b{domain}\b(?:/[\w/.-]*\w)?",
        "abbreviation": rf"(?<!\w)(?:{'|'.join(rules.abbreviations)})(?!\w)",
        "decade": rules.decade,
        "named_date": rf"\b{rules.named_date.format(months=months)}(?!\w)",
        "iso_date": r"\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b",
        "slash_date": r"\b\d{1,2}/\d{1,2}/\d{4}\b",
        "time": rules.time,
        "money_before": (
            rf"(?<![\w-])[-−]?{currencies}\s?[-−]?{digits}(?:\s(?:{magnitudes})\b|\s?(?:{short})(?!\w))?(?!\w)"
        ),
        "money_after": rf"{amount}(?:\s(?:{magnitudes}))?\s?{currencies}",
        "magnitude": rf"{amount}\s(?:{magnitudes})\b",
        "unit": rf"{amount}(?!s\b)\s?(?:{_alternatives(rules.units)})(?!\w|/\w)",
        "fraction": (
            rf"(?<![\w/.,])(?:\d+[^\S\n]?[{VULGAR_FRACTIONS}]|[{VULGAR_FRACTIONS}]|(?:\d+[^\S\n])?\d+/\d+)(?![\w/])"
        ),
        "roman": r"(?<![\w.'’/&@+=-])[IVXL]+(?:er|ère|e|ème|['’]s)?(?![\w/&@+=-]|['’]\w)",
        "ordinal": rf"\b\d+{rules.ordinal_suffix}\b",
        "span": r"(?<![\w.-])\d+[-–]\d+(?![\w-])",
        "year": r"(?<![\w.,-])(?:1[1-9]\d\d|20\d\d)(?![\w]|[.,]\d)",
        "number": rf"{amount}(?!\w|[.,/:]\d)",
    }


def open_end_pattern(rules: LanguageRules | None) -> re.Pattern[str]:
    """Pattern of an incomplete end of the text, whose reading may depend on the text that follows."""
    if rules is None:
        return re.compile(rf"(?:<[^<>]{{0,80}}|{_OPEN_MARK})$")
    with_digits = rf"[^\s<>]*[\d{''.join(rules.money)}{VULGAR_FRACTIONS}][^\s<>]*"
    incomplete = rf"{with_digits}|{_months(rules)}|{rules.magnitudes}|of|{rules.depends_on_next}"
    return re.compile(rf"(?:<[^<>]{{0,80}}|{_OPEN_MARK}|(?:(?<!\S)(?:{incomplete})(?:\s+|$)){{1,6}})$")
