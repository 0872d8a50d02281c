"""Filter from a language model's text, as it arrives, to text that can be spoken.

Models write Markdown even if they are asked not to. Emphasis, links, headings and list items lose their marks, rows of
tables become sentences, addresses their host name. Code blocks, emoji and `<think>` are left out.
"""

import re

from speech.text.inline_markdown import certain_end, spoken_words

_THINK = re.compile(r"(?<!`)<think(?:ing)?>", re.IGNORECASE)
_THINK_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_PART_OF_TAG = re.compile(r"(?:`|`?</?[a-zA-Z]{0,8})\Z")
_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*\Z)|~{3,})")
_RULE = re.compile(r"[-*_=\s]+")
_TABLE_RULE = re.compile(r"[-:|\s]+")
_PREFIX = re.compile(
    r"\s*(?:>\s?)*\s*(?:(?P<mark>(?:#{1,6}|[-*+•])[ \t]+(?:\[[ xX]\][ \t]+)?)|(?P<number>(?=\d{1,3}[.)][ \t]))|)"
)
"""What isn't spoken of a quotation, a heading or an item of a list; the number of an item is."""
_BOLD = re.compile(r"\s*(\*\*|__)(?!\s).+\1\s*\Z")
"""A line that models write instead of a heading."""
_FIRST_WORD = re.compile(r"[\W_]*[^\W_]\S*[ \t]")
"""What a line begins with, until the end of the first word that has a letter or a digit."""
_ENDS_SENTENCE = re.compile(r"[.!?:;,…。！？；：،؟।]\W*\Z")
MAX_PENDING = 3_000
"""Characters of a line without a certain word, as many as a reply may have. What follows is a new line, so that no
pattern searches more."""
_FED_AT_ONCE = 200  # characters
_CELL_BORDER = re.compile(r"(?<!\\)\|")


class SpeakableText:
    """Text of one reply: what `feed` and `finish` return, joined, is spoken and shown."""

    def __init__(self) -> None:
        self._reasoning = _ReasoningFilter()
        self._line = _Line()
        self._fence = ""  # of the code block that has not ended
        self._separator = ""  # in front of the next word
        self._is_empty = True  # nothing was returned

    def feed(self, text: str) -> str:
        """Add text. Return the words that are certain by now. The space behind the last one follows with the next word;
        the end of its line comes at once."""
        parts = (text[first : first + _FED_AT_ONCE] for first in range(0, len(text), _FED_AT_ONCE))
        return "".join(self._add(self._reasoning.feed(part)) for part in parts)

    def finish(self) -> str:
        """Return the rest of the text; the reply is complete."""
        return (self._add(self._reasoning.finish()) + self._end_line()).removesuffix("\n")

    def _add(self, text: str) -> str:
        first, *others = text.replace("\r", "").split("\n")
        output = self._extend_line(first)
        for line in others:
            output += self._end_line() + self._extend_line(line)
        return output

    def _extend_line(self, text: str) -> str:
        self._line.text += text
        output = "" if self._fence else self._joined(self._line.pop_certain_words())
        return output + self._end_line() if self._line.pending > MAX_PENDING else output

    def _end_line(self) -> str:
        line, self._line = self._line, _Line()
        fence = _FENCE.match(line.text)
        if self._fence:
            is_end = fence and fence[1].startswith(self._fence) and not line.text.strip().strip(fence[1])
            self._fence = "" if is_end else self._fence
        elif fence:
            self._fence = fence[1]
        elif line.text.strip():
            output = self._joined(line.pop_last_words())
            if self._separator == " ":  # the line has words
                self._separator = ""
                return output + "\n"
        elif not self._is_empty:
            self._separator = "\n"  # a new paragraph
        return ""

    def _joined(self, words: list[str]) -> str:
        output = ""
        for word in words:
            output += self._separator + word
            self._separator, self._is_empty = " ", False
        return output


class _Line:
    def __init__(self) -> None:
        self.text = ""
        self._position = 0  # in `text`, of what was not popped
        self._is_begun = False  # it is certain what kind of line it is
        self._is_title = False  # a heading or an item of a list
        self._last_word: list[str] = []  # kept if it may get a period

    @property
    def pending(self) -> int:
        """Characters that were not popped."""
        return len(self.text) - self._position

    def pop_certain_words(self) -> list[str]:
        """Words that are certain while the line goes on."""
        if not self._is_begun:
            is_whole = self.text.lstrip().startswith(("|", "```", "~~~"))
            if is_whole or not _FIRST_WORD.match(self.text):
                return []
            self._begin()
        start, self._position = self._position, certain_end(self.text, self._position)
        words = self._last_word + spoken_words(self.text[start : self._position])
        if self._is_title or self.text.lstrip().startswith(("**", "__")):
            words, self._last_word = words[:-1], words[-1:]
        return words

    def pop_last_words(self) -> list[str]:
        """The rest of the words; the line is complete."""
        if _is_rule(self.text):
            return []
        if self.text.lstrip().startswith("|"):
            cells = (" ".join(spoken_words(cell)) for cell in _CELL_BORDER.split(self.text))
            return _sentence(", ".join(filter(None, cells)).split())
        if not self._is_begun:
            self._begin()
        words = self._last_word + spoken_words(self.text[self._position :])
        return _sentence(words) if self._is_title or _BOLD.match(self.text) else words

    def _begin(self) -> None:
        self._is_begun = True
        if prefix := _PREFIX.match(self.text):
            self._position, self._is_title = prefix.end(), prefix.lastgroup is not None


def _is_rule(line: str) -> bool:
    """Whether it is a horizontal rule, or the line under the head of a table."""
    if _RULE.fullmatch(line):
        return sum(map(line.count, "-*_=")) >= 3
    return _TABLE_RULE.fullmatch(line) is not None and "|" in line.partition("-")[2]


def _sentence(words: list[str]) -> list[str]:
    """The words, with a period if they need one."""
    if not words or _ENDS_SENTENCE.search(words[-1]):
        return words
    return [*words[:-1], words[-1] + "."]


class _ReasoningFilter:
    """Leaves out `<think>`, also if it has no end."""

    def __init__(self) -> None:
        self._text = ""
        self._is_reasoning = False
        self._is_after = False  # directly behind reasoning

    def feed(self, text: str) -> str:
        self._text += text
        output = ""
        while tag := (_THINK_END if self._is_reasoning else _THINK).search(self._text):
            output += self._pop(tag.start())
            self._text = self._text[tag.end() - tag.start() :]
            self._is_reasoning = not self._is_reasoning
            self._is_after = not self._is_reasoning
        part = _PART_OF_TAG.search(self._text)
        return output + self._pop(part.start() if part else len(self._text))

    def finish(self) -> str:
        return self._pop(len(self._text))

    def _pop(self, length: int) -> str:
        text, self._text = self._text[:length], self._text[length:]
        if self._is_reasoning:
            return ""
        if self._is_after:
            text = text.lstrip()
            self._is_after = not text
        return text
