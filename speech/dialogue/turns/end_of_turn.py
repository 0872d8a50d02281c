"""How long a user must be silent until their turn counts as over.

Engines that predict pauses (Kyutai's heads) decide by themselves; for all others the text decides: little silence where
it looks complete, more where it does not.
"""

import re

PAUSE_PROBABILITY = 0.6
"""Probability of a pause of half a second above which a turn is over (unmute's value)."""
COMPLETE = 0.4
"""Seconds of silence after a complete sentence. In a spike with 0.32 s, one turn in twelve ended too early."""
UNCLEAR = 0.7
"""Seconds after a text without punctuation, and after “Yes, I do.”, which may also be a fragment."""
DIGITS = 1.0
"""Seconds after digits and spelled letters, which are said in groups: Deepgram waits as long. Some 0.75 s cut
phone numbers and e-mail addresses (livekit/agents#3701)."""
CLAUSE = 0.9
"""Seconds after a comma. Engines also end a sentence with one that they misunderstood."""
TAIL = 200
"""Characters at the end of the text that decide."""
UNFINISHED = 1.5
"""Seconds after a text that goes on: “and”, a dash (LiveKit waits up to 3 s)."""

_CLOSING = r"[\"'”’»)\s]*\Z"
_QUESTION = re.compile(rf"[?？!！]{_CLOSING}")
_SENTENCE_END = re.compile(rf"[.。]{_CLOSING}")
_COMMA = re.compile(r"[,;、，]\s*\Z")
_OPEN_END = re.compile(r"(?:[:–—@-]|\.{2,}|…)\s*\Z")
_WORD = re.compile(r"[\w'’]+")
_SPELLED = re.compile(r"(?:\d|(?:^|[\s-])[^\W\d_])\.?\s*\Z")
"""A digit or a single letter."""

# Words that a sentence rarely ends with: conjunctions, articles, prepositions, possessives, fillers.
_OPEN_WORDS = {
    "en": "a an the and or but so because if when while that which who whose than then as of in on at to for from with "
    "by about into like is are was were am be been have has had do does did can could will would should may might must "
    "my your his her its our their i we they he she um uh er erm hmm well also plus very really i'm we're they're "
    "it's that's there's let's gonna wanna dot",
    "fr": "un une le la les l de du des d à au aux et ou mais donc or ni car si quand que qu qui dont où comme avec "
    "sans pour par sur sous dans en chez vers mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs je j tu "
    "il elle on nous vous ils elles est sont suis es êtes sommes ai as a avons avez ont très alors euh ben hein point "
    "arobase",
    "de": "der die das den dem des ein eine einen einem einer und oder aber weil wenn dass als ob mit ohne für von zu "
    "in auf an bei nach aus über unter mein meine dein deine sein seine ihr ihre unser unsere ich du er sie es wir ist "
    "sind war bin hat haben sehr also äh ähm punkt",
    "es": "un una el la los las de del al a y e o u pero porque si cuando que como con sin para por en sobre mi mis tu "
    "tus su sus nuestro nuestra yo tú él ella es son está están soy muy pues eh este punto arroba",
}
# Without “one” and “uno”, which mostly aren't digits.
_DIGIT_WORDS = {
    "en": "zero two three four five six seven eight nine oh double triple hundred",
    "fr": "zéro deux trois quatre cinq six sept huit neuf double",
    "de": "null eins zwei zwo drei vier fünf sechs sieben acht neun",
    "es": "cero dos tres cuatro cinco seis siete ocho nueve doble",
}
# Those of them that end short answers: “Yes, I do.” Only with a period: engines add one to fragments, but rarely.
_ANSWER_WORDS = {
    "en": "is are was were am have has had do does did can could will would should may might must well also like",
    "fr": "est sont suis es êtes sommes ai as a avons avez ont",
    "de": "ist sind war bin hat haben ich",
    "es": "es son está están soy",
}
_OPEN = {language: frozenset(words.split()) for language, words in _OPEN_WORDS.items()}
_ANSWER = {language: frozenset(words.split()) for language, words in _ANSWER_WORDS.items()}
_DIGIT = {language: frozenset(words.split()) for language, words in _DIGIT_WORDS.items()}


def silence_needed(text: str, language: str = "") -> float:
    """Seconds of silence after `text`, the words of the turn so far. `language`: BCP 47 tag; unknown: as English."""
    text = text[-TAIL:]
    if _QUESTION.search(text):
        return COMPLETE
    code = language.partition("-")[0].lower()
    code = code if code in _OPEN else "en"
    last = _last_word(text)
    if _OPEN_END.search(text):
        return UNFINISHED
    if last in _ANSWER[code] and _SENTENCE_END.search(text):
        return UNCLEAR
    if last in _OPEN[code] or (code == "fr" and last.rpartition("'")[2] in _OPEN[code]):
        return UNFINISHED  # also with a period behind it: engines add one to fragments
    if _COMMA.search(text):
        return CLAUSE
    if _SPELLED.search(text) or last in _DIGIT[code]:
        return DIGITS
    return COMPLETE if _SENTENCE_END.search(text) else UNCLEAR


def _last_word(text: str) -> str:
    words = (word.replace("’", "'").strip("'") for word in reversed(_WORD.findall(text)))
    return next(filter(None, words), "").lower()
