"""Words for numbers, dates, times, money, units, abbreviations and addresses."""

import re
from decimal import Decimal

from speech.synthesis.text_normalization.rules import LanguageRules, month_number, number

MAX_DIGITS = 15
"""Longer numbers are read digit by digit."""


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
        return self._money(match["money_before"][0], match["money_before"][1:])

    def money_after(self, match: re.Match[str]) -> str:
        return self._money(match["money_after"][-1], match["money_after"][:-1])

    def _money(self, sign: str, amount: str) -> str:
        singular, plural, cent, cents = self._rules.money[sign]
        digits, _, magnitude = amount.strip().partition(" ")
        if _is_long(digits):
            return " ".join(filter(None, (self._amount(digits), magnitude, plural)))
        value = self._value(digits)
        if magnitude:
            of = "de " if self._rules.lang == "fr" and magnitude.startswith("milli") else ""
            return f"{self._words(value)} {magnitude} {of}{plural}"
        whole, hundredths = int(value), int(value * 100) % 100
        unit = singular if whole == 1 or (self._rules.lang == "fr" and whole == 0) else plural
        spoken = f"{self._words(Decimal(whole))} {unit}"
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
        half_day = re.search(r"([ap])\.?m\.?$", match["time"], re.IGNORECASE)
        spoken = self._rules.read_time(numbers[0], numbers[1] if len(numbers) > 1 else 0)
        return f"{spoken.removesuffix(' o' + chr(39) + 'clock')} {half_day[1].lower()} m" if half_day else spoken

    def year(self, match: re.Match[str]) -> str:
        return self._rules.read_year(int(match["year"]))

    def decade(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match["decade"])
        words = self._rules.read_year(int(digits)) if len(digits) == 4 else number(int(digits), self._rules.lang)
        return f"{words.removesuffix('y')}{'ies' if words.endswith('y') else 's'}"

    def span(self, match: re.Match[str]) -> str:
        first, last = re.split("[-–]", match["span"])
        return f"{self._amount(first)} {'to' if self._rules.lang == 'en' else 'à'} {self._amount(last)}"

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
