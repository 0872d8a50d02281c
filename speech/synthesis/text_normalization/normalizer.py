"""From text as it is written to words as they are spoken, while it comes in.

Numbers, dates, times, money, units, abbreviations, signs and addresses are written out for English and French; engines
for other languages read theirs themselves. `<break time="1s"/>` and the like become pauses. Nothing is lost on the way:
every word knows which part of the text it stands for, and what nobody can speak is listed in `unspoken`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from inference.messages import parse_pause
from speech.synthesis.text_normalization.rules import LANGUAGES, LanguageRules, number

MAX_WORD = 60
"""Characters; what is longer is spoken in parts."""
MAX_PAUSE = 10.0  # seconds
PARAGRAPH_PAUSE = 0.5
LOOKBEHIND = 8
"""Characters."""
MAX_DIGITS = 15
"""Longer numbers are read digit by digit."""


@dataclass(frozen=True)
class SpokenWord:
    text: str
    """One word for the engine, which may be a pause."""
    first: int
    end: int
    """The characters it stands for, counted from the beginning of the text."""

    @property
    def is_pause(self) -> bool:
        return parse_pause(self.text) is not None


@dataclass(frozen=True)
class SkippedText:
    text: str
    first: int


_BREAK = r'<break\s+time\s*=\s*"\s*\d+(?:\.\d+)?\s*m?s\s*"\s*/?>|\[pause[:\s]\s*\d+(?:\.\d+)?\s*(?:m?s)?\]'
_TAG = r"</?(?:speak|p|s|emphasis|prosody|voice|say-as|sub|phoneme|lang|mark)\b[^<>]*>"


class TextNormalizer:
    """The text of one job, piece by piece."""

    def __init__(self, language: str) -> None:
        """`language` as BCP 47 has it."""
        self._rules = LANGUAGES.get(language.partition("-")[0].lower())
        self._pattern = _pattern(self._rules)
        self._open_end = _open_end(self._rules)
        self._before = ""  # the last of what is done with: what follows may depend on it
        self._waiting = ""
        self._position = 0  # of what waits, in the whole text
        self.skipped: list[SkippedText] = []

    def feed(self, text: str) -> list[SpokenWord]:
        """The words of what is complete so far; the last ones may depend on what follows."""
        self._waiting += text
        return self._normalize(self._complete())

    def finish(self) -> list[SpokenWord]:
        """The words of what is left. Text may follow."""
        return self._normalize(len(self._waiting))

    def _complete(self) -> int:
        """Characters that what follows changes nothing about."""
        text = self._waiting
        end = len(text.rstrip() if text[-1:].isspace() else _LAST_WORD.sub("", text))
        if len(self._waiting) > 4 * MAX_WORD * MAX_WORD:
            return len(self._waiting)
        open_end = self._open_end.search(self._waiting[max(0, end - 200) : end])
        return max(0, end - 200) + open_end.start() if open_end else end

    def _normalize(self, length: int) -> list[SpokenWord]:
        text, self._waiting = self._before + self._waiting[:length], self._waiting[length:]
        begins = self._position - len(self._before)
        words: list[SpokenWord] = []
        for match in self._pattern.finditer(text, len(self._before)):
            first, end = begins + match.start(), begins + match.end()
            spoken = self._spoken(match)
            if spoken:
                words += (SpokenWord(part, first, end) for word in spoken for part in _parts(word))
            elif match.lastgroup == "word":
                self._unspeakable(match[0], first, words)
        self._position += length
        self._before = text[-LOOKBEHIND:]
        return words

    def _unspeakable(self, text: str, first: int, words: list[SpokenWord]) -> None:
        if not all(unicodedata.category(sign)[0] in "PZ" or sign in "*_~`|^" for sign in text):
            self.skipped.append(SkippedText(text, first))
        elif words and not words[-1].is_pause and words[-1].text[-1].isalnum():
            last = words[-1]
            sign = "," if text[0] in "—–-" else text[0] if text[0] in ".,;:!?…" else ""  # a dash is a breath
            words[-1] = SpokenWord(f"{last.text}{sign}", last.first, last.end)

    def _spoken(self, match: re.Match[str]) -> list[str]:
        kind = match.lastgroup or ""
        if kind == "break":
            return [_pause(match[0])]
        if kind == "paragraph":
            return [f"<{PARAGRAPH_PAUSE:g}s>"]
        if kind == "tag":
            return [f"<{PARAGRAPH_PAUSE:g}s>"] if re.match(r"</[ps]\b", match[0]) else []
        if kind == "opening":
            return []
        if kind == "word" or self._rules is None:
            return self._plain(match[0])
        return getattr(_Verbalizer(self._rules), kind)(match).split()

    def _plain(self, word: str) -> list[str]:
        clean = "".join(sign for sign in word.translate(_TYPOGRAPHY) if unicodedata.category(sign) not in _MUTE)
        said = clean.strip("*_~`|")
        if self._rules is None:
            return [said] if any(sign.isalnum() for sign in said) or word in "€$£¥%&@+=" else []
        signs = self._rules.signs
        if word in signs:
            return signs[word].split()
        if any(sign in word for sign in signs) and any(sign.isalnum() for sign in word):
            spaced = "".join(f" {signs[sign]} " if sign in signs else sign for sign in word)
            return [part for piece in spaced.split() for part in self._plain(piece)]
        if "/" in said.strip("/"):
            return [part for piece in said.split("/") for part in self._plain(piece)]
        return [said] if any(_is_latin(sign) or sign.isdigit() for sign in said) else []


class _Verbalizer:
    """How one tongue reads what is no plain word: a method for each group of the pattern."""

    def __init__(self, tongue: LanguageRules) -> None:
        self._rules = tongue

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
        one, several, cent, cents = self._rules.money[sign]
        digits, _, magnitude = amount.strip().partition(" ")
        value = self._value(digits)
        if magnitude:
            of = "de " if self._rules.lang == "fr" and magnitude.startswith("milli") else ""
            return f"{self._words(value)} {magnitude} {of}{several}"
        whole, hundredths = int(value), int(value * 100) % 100
        unit = one if whole == 1 or (self._rules.lang == "fr" and whole == 0) else several
        spoken = f"{self._words(Decimal(whole))} {unit}"
        if not hundredths:
            return spoken
        joint = "and " if self._rules.lang == "en" else ""
        return f"{spoken} {joint}{self._words(Decimal(hundredths))} {cent if hundredths == 1 else cents}".strip()

    def unit(self, match: re.Match[str]) -> str:
        digits = re.match(r"[-−+]?[\d.,\u00a0\u202f]*\d", match["unit"])
        if digits is None:
            return match["unit"]
        one, several = self._rules.units[match["unit"][digits.end() :].strip()]
        value = self._value(digits[0])
        return f"{self._amount(digits[0])} {one if abs(value) == 1 else several}"

    def ordinal(self, match: re.Match[str]) -> str:
        digits = re.match(r"\d+", match["ordinal"])
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
        numbers = [int(number) for number in re.findall(r"\d+", match["named_date"])]
        name = re.search(r"[^\W\d_]{3,}", match["named_date"])
        month = _month(self._rules, name[0] if name else "")
        return self._date(numbers[0], month, numbers[1] if len(numbers) > 1 else None)

    def _date(self, day: int, month: int, year: int | None) -> str:
        spoken_year = self._rules.year(year) if year is not None else ""
        name = self._rules.months[month - 1]
        return self._rules.date.format(day=self._rules.day(day), month=name, year=spoken_year).strip()

    def time(self, match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match["time"])]
        half = re.search(r"([ap])\.?m\.?$", match["time"], re.IGNORECASE)
        spoken = self._rules.clock(numbers[0], numbers[1] if len(numbers) > 1 else 0)
        return f"{spoken.removesuffix(' o' + chr(39) + 'clock')} {half[1].lower()} m" if half else spoken

    def year(self, match: re.Match[str]) -> str:
        return self._rules.year(int(match["year"]))

    def decade(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match["decade"])
        said = self._rules.year(int(digits)) if len(digits) == 4 else number(int(digits), self._rules.lang)
        return f"{said.removesuffix('y')}{'ies' if said.endswith('y') else 's'}"

    def span(self, match: re.Match[str]) -> str:
        first, last = re.split("[-–]", match["span"])
        return f"{self._amount(first)} {'to' if self._rules.lang == 'en' else 'à'} {self._amount(last)}"

    def abbreviation(self, match: re.Match[str]) -> str:
        found = (
            said
            for short, said in self._rules.abbreviations.items()
            if re.compile(rf"(?:{short})(?!\w)").match(match.string, match.start())
        )
        return next(found, match["abbreviation"])

    def address(self, match: re.Match[str]) -> str:
        words = re.sub(r"^https?://", "", match["address"])
        for sign, said in (".", self._rules.dot), ("/", self._rules.slash), ("@", self._rules.signs["@"]):
            words = words.replace(sign, f" {said} ")
        return re.sub(r"[^\w\s']+", " ", words.replace("_", " "))

    def _amount(self, digits: str) -> str:
        return self._words(self._value(digits), digits)

    def _words(self, value: Decimal, digits: str = "") -> str:
        bare = re.sub(r"\D", "", digits)
        if len(bare) > MAX_DIGITS or (len(bare) > 1 and bare.startswith("0") and value == value.to_integral()):
            return " ".join(number(int(digit), self._rules.lang) for digit in bare)
        whole = int(value) if value == value.to_integral() and self._rules.point not in digits.strip(".,") else value
        return number(whole, self._rules.lang)

    def _value(self, digits: str) -> Decimal:
        for sign in self._rules.thousands:
            digits = digits.replace(sign, "")
        return Decimal(digits.replace(self._rules.point, ".").replace("−", "-").strip(".,"))


_MUTE = {"Cc", "Cf", "Cn", "Co", "Cs", "So", "Sk"}
"""Categories of characters that nobody speaks: controls, pictures."""
_LAST_WORD = re.compile(r"\s*\S*$")
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "\u00ad": "", "\u200b": "", "\ufeff": ""})


def _is_latin(sign: str) -> bool:
    return sign.isalpha() and "LATIN" in unicodedata.name(sign, "")


def _parts(word: str) -> Iterable[str]:
    return (word[start : start + MAX_WORD] for start in range(0, len(word), MAX_WORD))


def _pause(tag: str) -> str:
    number = re.search(r"\d+(?:\.\d+)?", tag)
    seconds = float(number[0]) if number else 0.0
    return f"<{min(seconds / 1000 if 'ms' in tag else seconds, MAX_PAUSE):g}s>"


def _month(tongue: LanguageRules, name: str) -> int:
    """1 to 12, of its name or the first letters of it."""
    for index, month in enumerate(tongue.months, 1):
        if month.lower().startswith(name.lower().rstrip(".")):
            return index
    return 1


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _months(tongue: LanguageRules) -> str:
    """Their names, and what they are shortened to."""
    names = [month if len(month) < 5 else rf"{month}|{month[:3]}\.?" for month in tongue.months]
    return f"(?:{'|'.join(names)})"


def _pattern(tongue: LanguageRules | None) -> re.Pattern[str]:
    groups = {"break": _BREAK, "tag": _TAG, "paragraph": r"\n\s*\n\s*"}
    if tongue:
        groups |= _groups(tongue)
    groups["word"] = r"[^\s—–…<]+…?|\S"
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups.items()))


def _groups(tongue: LanguageRules) -> dict[str, str]:
    """What is read in a way of its own, what includes others first."""
    digits = rf"\d+(?:[{tongue.thousands}]\d{{3}})*(?:{re.escape(tongue.point)}\d+)?"
    number = rf"(?<!\w)[-−+]?{digits}"
    signs, months, magnitudes = f"[{''.join(tongue.money)}]", _months(tongue), tongue.magnitudes
    domain = r"(?:[\w-]+\.)+(?:com|org|net|fr|io|edu|gov|uk|de|eu)"
    return {
        "opening": r"[(\[{\"“«‘¿¡]+(?=\S)",
        "address": rf"https?://\S*[\w/]|[\w.+-]+@(?:[\w-]+\.)+\w+|\b{domain}\b(?:/[\w/.-]*\w)?",
        "abbreviation": rf"(?<!\w)(?:{'|'.join(tongue.abbreviations)})(?!\w)",
        "decade": tongue.decade,
        "named_date": rf"\b{tongue.named_date.format(months=months)}(?!\w)",
        "iso_date": r"\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b",
        "slash_date": r"\b\d{1,2}/\d{1,2}/\d{4}\b",
        "time": tongue.time,
        "money_before": rf"{signs}\s?{digits}(?:\s(?:{magnitudes})\b)?(?!\w)",
        "money_after": rf"{number}(?:\s(?:{magnitudes}))?\s?{signs}",
        "magnitude": rf"{number}\s(?:{magnitudes})\b",
        "unit": rf"{number}\s?(?:{_any(tongue.units)})(?!\w)",
        "ordinal": rf"\b\d+{tongue.ordinal}\b",
        "span": r"(?<![\w.-])\d+[-–]\d+(?![\w-])",
        "year": r"(?<![\w.,-])(?:1[1-9]\d\d|20\d\d)(?![\w]|[.,]\d)",
        "number": rf"{number}(?!\w|[.,/:]\d)",
    }


def _open_end(tongue: LanguageRules | None) -> re.Pattern[str]:
    """What, at the end of a text that goes on, may yet belong to what follows."""
    if tongue is None:
        return re.compile(r"<[^<>]{0,80}$")
    with_figures = rf"[^\s<>]*[\d{''.join(tongue.money)}][^\s<>]*"
    figures = rf"{with_figures}|{_months(tongue)}|{tongue.magnitudes}|of|{tongue.depends_on_next}"
    return re.compile(rf"(?:<[^<>]{{0,80}}|(?:(?<!\S)(?:{figures})(?:\s+|$)){{1,6}})$")
