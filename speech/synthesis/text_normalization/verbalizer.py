"""Words for numbers, dates, times, money, units, abbreviations and addresses."""

import re
import unicodedata
from decimal import Decimal

from speech.synthesis.text_normalization.roman import value_of
from speech.synthesis.text_normalization.rules import LanguageRules, month_number, number

MAX_DIGITS = 15
"""Longer numbers are read digit by digit."""
LOOKBEHIND = 24
"""Characters of earlier text on which the reading of a token may depend."""
YEAR = re.compile(r"1[1-9]\d\d|20\d\d")


class Verbalizer:
    """Turns tokens that are not plain words into words: one method for each group of the pattern."""

    def __init__(self, rules: LanguageRules) -> None:
        self._rules = rules

    def number(self, match: re.Match[str]) -> str:
        return self._amount(match["number"])

    def magnitude(self, match: re.Match[str]) -> str:
        digits, magnitude = match["magnitude"].split(None, 1)
        return f"{self._amount(digits)} {magnitude}"

    def money_before(self, match: re.Match[str]) -> str:
        return self._money(match["money_before"])

    def money_after(self, match: re.Match[str]) -> str:
        return self._money(match["money_after"])

    def _money(self, written: str) -> str:
        sign = next(character for character in written if character in self._rules.money)
        singular, plural, cent, cents = self._rules.money[sign]
        parts = re.fullmatch(
            r"([-−+]?)\s*([-−+]?)\s*(\d.*?\d|\d)\s*([^\W\d]*)", written.replace(sign, "").strip(), re.S
        )
        if parts is None:
            raise ValueError("no amount")
        digits = f"{parts[1] or parts[2]}{parts[3]}"
        magnitude = self._rules.short_magnitudes.get(parts[4], parts[4])
        if _is_long(digits):
            return " ".join(filter(None, (self._amount(digits), magnitude, plural)))
        value = self._value(digits)
        if magnitude:
            of = "de " if self._rules.lang == "fr" and magnitude.startswith("milli") else ""
            return f"{self._words(value)} {magnitude} {of}{plural}"
        whole, hundredths = int(abs(value)), int(abs(value) * 100) % 100
        unit = singular if whole == 1 or (self._rules.lang == "fr" and whole == 0) else plural
        minus = f"{self._words(Decimal(-1)).split()[0]} " if value < 0 else ""
        spoken = f"{minus}{self._words(Decimal(whole))} {unit}"
        if not hundredths:
            return spoken
        conjunction = "and " if self._rules.lang == "en" else ""
        return f"{spoken} {conjunction}{self._words(Decimal(hundredths))} {cent if hundredths == 1 else cents}".strip()

    def unit(self, match: re.Match[str]) -> str:
        digits = re.match(r"[-−+]?[\d.,\u00a0\u202f]*\d", match["unit"])
        if digits is None:
            return match["unit"]
        singular, plural = self._rules.units[match["unit"][digits.end() :].strip()]
        value = self._value(digits[0])
        return f"{self._amount(digits[0])} {singular if abs(value) == 1 else plural}"

    def ordinal(self, match: re.Match[str]) -> str:
        digits = re.match(r"\d+", match["ordinal"])
        if digits and _is_long(digits[0]):
            return self._amount(digits[0])
        value = int(digits[0]) if digits else 0
        if self._rules.lang == "fr" and value == 1:
            return "premier" if match["ordinal"].endswith(("er", "ers")) else "première"
        return number(value, self._rules.lang, "ordinal")

    def iso_date(self, match: re.Match[str]) -> str:
        year, month, day = (int(part) for part in match["iso_date"].split("-"))
        return self._date(day, month, year)

    def slash_date(self, match: re.Match[str]) -> str:
        first, second, year = (int(part) for part in re.split(r"[/.]", match["slash_date"]))
        day, month = (second, first) if self._rules.lang == "en" and first <= 12 else (first, second)
        return self._date(day, month, year) if 1 <= month <= 12 else match["slash_date"].replace("/", " ")

    def named_date(self, match: re.Match[str]) -> str:
        numbers = [int(digits) for digits in re.findall(r"\d+", match["named_date"])]
        name = re.search(r"[^\W\d_]{3,}", match["named_date"])
        month = month_number(self._rules, name[0] if name else "")
        return self._date(numbers[0], month, numbers[1] if len(numbers) > 1 else None)

    def _date(self, day: int, month: int, year: int | None) -> str:
        spoken_year = self._rules.read_year(year) if year is not None else ""
        name = self._rules.months[month - 1]
        return self._rules.date_format.format(day=self._rules.read_day(day), month=name, year=spoken_year).strip()

    def time(self, match: re.Match[str]) -> str:
        numbers = [int(digits) for digits in re.findall(r"\d+", match["time"])]
        if numbers[:2] == [0, 0] and len(numbers) == 2:
            return self._rules.midnight
        half_day = re.search(r"([ap])\.?m\.?$", match["time"], re.IGNORECASE)
        spoken = self._rules.read_time(numbers[0], numbers[1] if len(numbers) > 1 else 0)
        if len(numbers) > 2:
            unit = self._rules.units["s"][numbers[2] != 1]
            spoken = f"{spoken} {self._rules.conjunction} {number(numbers[2], self._rules.lang)} {unit}"
        return f"{spoken.removesuffix(' o' + chr(39) + 'clock')} {half_day[1].lower()} m" if half_day else spoken

    def year(self, match: re.Match[str]) -> str:
        return self._rules.read_year(int(match["year"]))

    def decade(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match["decade"])
        words = self._rules.read_year(int(digits)) if len(digits) == 4 else number(int(digits), self._rules.lang)
        return f"{words.removesuffix('y')}{'ies' if words.endswith('y') else 's'}"

    def span(self, match: re.Match[str]) -> str:
        first, last = re.split("[-–]", match["span"])
        read = self._year_or_amount if YEAR.fullmatch(first) and len(last) in (2, 4) else self._amount
        return f"{read(first)} {self._rules.between} {read(last)}"

    def _year_or_amount(self, digits: str) -> str:
        return self._rules.read_year(int(digits)) if YEAR.fullmatch(digits) else self._amount(digits)

    def phone(self, match: re.Match[str]) -> str:
        """Groups are separated by commas, so that they are read with pauses."""
        groups = [self._rules.read_phone_group(digits) for digits in re.findall(r"\d+", match["phone"])]
        plus = f"{self._rules.symbols['+']} " if match["phone"].startswith("+") else ""
        return plus + ", ".join(groups)

    def fraction(self, match: re.Match[str]) -> str:
        # NFKC: “½” becomes “1⁄2”, with a fraction slash
        *whole, above, below = map(int, re.findall(r"\d+", _spaced_fraction(match["fraction"])))
        forms = self._rules.fractions.get(below)
        if forms is None or not 0 < above < below:
            return " ".join(number(value, self._rules.lang) for value in (*whole, above, below))
        if (above, below) == (1, 2):
            part = self._rules.one_half[bool(whole)]
        else:
            part = f"{number(above, self._rules.lang)} {forms[above > 1]}"
        return f"{number(whole[0], self._rules.lang)} {self._rules.conjunction} {part}" if whole else part

    def roman(self, match: re.Match[str]) -> str:
        """Numerals after a name, after what is numbered, or with an ordinal suffix; others are words."""
        numeral, suffix = re.fullmatch(r"([IVXL]+)(.*)", match["roman"]).groups()  # type: ignore[union-attr]
        value = value_of(numeral)
        before = re.search(r"([^\W\d_]+)\.?\s$", match.string[max(0, match.start() - LOOKBEHIND) : match.start()])
        word = before[1] if before else ""
        if value is None:
            return match["roman"]
        if suffix and suffix[0] not in "'’":
            return self._roman_ordinal(value, suffix) or match["roman"]
        is_letter = len(numeral) == 1
        if word in self._rules.rulers and numeral != "I":
            return f"{self._rules.read_ruler(value)}{suffix}"
        is_numbered = word.lower() in self._rules.numbered and (numeral != "I" or not word.islower())
        is_title = not is_letter and "L" not in numeral and word[:1].isupper() and len(word) > 3
        return f"{number(value, self._rules.lang)}{suffix}" if is_numbered or is_title else match["roman"]

    def _roman_ordinal(self, value: int, suffix: str) -> str:
        """French: XIXe, Ier, Ière."""
        if self._rules.lang != "fr" or (suffix == "er") > (value == 1):
            return ""
        if value == 1:
            return "première" if suffix == "ère" else "premier"
        return number(value, "fr", "ordinal")

    def abbreviation(self, match: re.Match[str]) -> str:
        matches = (
            full_form
            for short, full_form in self._rules.abbreviations.items()
            if re.compile(rf"(?:{short})(?!\w)").match(match.string, match.start())
        )
        return next(matches, match["abbreviation"])

    def address(self, match: re.Match[str]) -> str:
        words = re.sub(r"^https?://", "", match["address"])
        for symbol, name in (".", self._rules.dot), ("/", self._rules.slash), ("@", self._rules.symbols["@"]):
            words = words.replace(symbol, f" {name} ")
        return re.sub(r"[^\w\s']+", " ", words.replace("_", " "))

    def _amount(self, digits: str) -> str:
        return self._words(self._value(digits), digits)

    def _words(self, value: Decimal, digits: str = "") -> str:
        bare = _bare(digits)
        if _is_long(digits) or (len(bare) > 1 and bare.startswith("0") and value == value.to_integral()):
            return " ".join(number(int(digit), self._rules.lang) for digit in bare)
        whole = (
            int(value)
            if value == value.to_integral() and self._rules.decimal_point not in digits.strip(".,")
            else value
        )
        return number(whole, self._rules.lang)

    def _value(self, digits: str) -> Decimal:
        for separator in self._rules.thousands_separators:
            digits = digits.replace(separator, "")
        return Decimal(digits.replace(self._rules.decimal_point, ".").replace("−", "-").strip(".,"))


def _bare(digits: str) -> str:
    return re.sub(r"\D", "", digits)


def _is_long(digits: str) -> bool:
    return len(_bare(digits)) > MAX_DIGITS


def _spaced_fraction(written: str) -> str:
    """“2½” becomes “2 1⁄2”."""
    return "".join(
        f" {unicodedata.normalize('NFKC', c)}" if not c.isascii() and not c.isdigit() else c for c in written
    )
