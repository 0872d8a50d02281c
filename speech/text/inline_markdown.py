"""Markdown within a line: what of it is spoken, and how much of an unfinished line is certain.

A construct that may contain spaces (code, a link, an HTML tag) has a limited length, so that a mark without its
counterpart delays the rest of the line only briefly.
"""

import re

_CODE = r"(?<![`\\])(?P<ticks>`+)(?!`)(?P<code>.{1,200}?)(?<!`)(?P=ticks)(?!`)"
_LINK = r'!?\[(?P<label>[^\[\]]{0,200})\]\((?:[^()\s]|\([^()\s]*\))*+(?:\s+"[^"]{0,200}")?\s*\)'
_COMMENT = r"<!--.{0,500}?-->"
_ADDRESS = r"<(?P<address>(?:https?://|www\.|mailto:|[^\s<>@!]+@)[^\s<>]+)>"
_TAG = r"</?(?P<tag>[a-zA-Z][a-zA-Z0-9-]*)(?:\s[^<>]{0,200}=[^<>]{0,200})?\s*/?>"
_URL = (
    r"(?:https?://(?:www\.)?|(?<![\w.-])www\.)(?P<host>[\w.-]*\w)(?::\d+)?(?:[/?#](?>\([^\s<>\"()]*\)|[^\s<>\"])*?)?"
    r"(?=[.,;:!?)\]}*_~`'\"”’»]*(?:[\s<]|\Z))"
)
_ESCAPE = r"\\(?P<escaped>[!-/:-@\[-`{-~])"
_EMAIL = r"\bmailto:(?=\S{1,64}@)"
_OPERATOR = r"(?P<operator>(?<=\d)\*+(?=\d)|(?<=[^\W_])\*(?=[^\W_]))"
_EMPHASIS = r"\*++(?=\S)|(?<=[^\s*])\*+|(?<!\w)(?:__++|_(?=\S))|(?<=[^\s_])_++(?!\w)|~~|`+"
_EMOJI = (
    "(?:[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0e\ufe0f\u200d\U000e0020-\U000e007f]*)+|[\ufe0f\u20e3]+"
)

_WITH_SPACES = re.compile("|".join((_CODE, _LINK, _COMMENT, _ADDRESS, _TAG, _URL, _ESCAPE)))
_MARKUP = re.compile("|".join((_WITH_SPACES.pattern, _EMAIL, _OPERATOR, _EMPHASIS, _EMOJI)))
_OPEN = re.compile(
    r"`.{0,200}\Z"
    r'|!?\[[^\[\]]{0,200}(?:\]\((?:[^()\s]|\([^()\s]*\))*+(?:\s+(?:"[^"]{0,200}"?)?)?)?\Z'
    r"|<!--.{0,500}\Z"
    r"|</?[a-zA-Z][a-zA-Z0-9-]*(?:\s[^<>]{0,400})?\Z"
)
"""The beginning of a construct that may go on behind a space."""
_BLOCK_TAGS = frozenset(
    ("br", "p", "div", "li", "tr", "td", "th", "hr", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6")
)
"""Tags that separate words."""


def spoken_words(text: str) -> list[str]:
    """The words of a line, or of a part that ends as `certain_end` says, without Markdown."""
    return [word for word in re.split(r"[ \t]+", _MARKUP.sub(_spoken, text)) if word]


def certain_end(line: str, start: int) -> int:
    """Index in an unfinished line, from `start`, of the last space that no construct goes across, whatever follows."""
    part = line[start : start + _last_space(line[start:])]
    certain = _WITH_SPACES.sub(lambda match: "x" * len(match[0]), part)
    opened = _OPEN.search(certain)
    return start + (_last_space(certain[: opened.start()]) if opened else len(part))


def _last_space(text: str) -> int:
    """Its index; 0 if there is none."""
    return max(text.rfind(" "), text.rfind("\t"), 0)


def _spoken(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups["label"] is not None or groups["address"]:
        return " ".join(spoken_words(groups["label"] or groups["address"] or ""))
    if groups["tag"]:
        return " " if groups["tag"].lower() in _BLOCK_TAGS else ""
    return groups["code"] or groups["host"] or groups["escaped"] or groups["operator"] or ""
