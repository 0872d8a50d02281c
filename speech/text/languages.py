"""Names and tags of languages, as clients of other services write them."""

_NAMES = (
    "en english, zh chinese, de german, es spanish, ru russian, ko korean, fr french, ja japanese, pt portuguese, "
    "tr turkish, pl polish, ca catalan, nl dutch, ar arabic, sv swedish, it italian, id indonesian, hi hindi, fi "
    "finnish, vi vietnamese, he hebrew, uk ukrainian, el greek, ms malay, cs czech, ro romanian, da danish, hu "
    "hungarian, ta tamil, no norwegian, th thai, ur urdu, hr croatian, bg bulgarian, lt lithuanian, la latin, mi "
    "maori, ml malayalam, cy welsh, sk slovak, te telugu, fa persian, lv latvian, bn bengali, sr serbian, az "
    "azerbaijani, sl slovenian, kn kannada, et estonian, mk macedonian, br breton, eu basque, is icelandic, hy "
    "armenian, ne nepali, mn mongolian, bs bosnian, kk kazakh, sq albanian, sw swahili, gl galician, mr marathi, "
    "pa punjabi, si sinhala, km khmer, sn shona, yo yoruba, so somali, af afrikaans, oc occitan, ka georgian, be "
    "belarusian, tg tajik, sd sindhi, gu gujarati, am amharic, yi yiddish, lo lao, uz uzbek, fo faroese, ht "
    "haitian creole, ps pashto, tk turkmen, nn nynorsk, mt maltese, sa sanskrit, lb luxembourgish, my myanmar, bo "
    "tibetan, tl tagalog, mg malagasy, as assamese, tt tatar, haw hawaiian, ln lingala, ha hausa, ba bashkir, jw "
    "javanese, su sundanese, yue cantonese"
)
NAMES = dict(pair.split(" ", 1) for pair in _NAMES.split(", "))
"""Whisper's names of languages, which OpenAI's API reports, by code."""
_OTHER_NAMES = (
    "burmese my, castilian es, farsi fa, flemish nl, haitian ht, letzeburgesch lb, mandarin zh, moldavian ro, "
    "panjabi pa, pushto ps, sinhalese si, valencian ca"
)
OTHER_CODES = {"cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "jv": "jw", "nb": "no"}
"""Codes of the same languages that Whisper's list doesn't have."""
DETECT = ("auto", "detect", "multi")
"""Values by which clients ask for detection of the language."""

_CODES = {name: code for code, name in NAMES.items()} | dict(pair.split(" ", 1) for pair in _OTHER_NAMES.split(", "))


def asks_for_detection(language: str) -> bool:
    return language.strip().lower() in DETECT


def tags_of(language: str) -> list[str]:
    """Tags that a language may have in an engine, in lower case, the most specific one first: of “zh_Hans_CN”
    zh-hans-cn, zh-hans and zh; of “English” en."""
    tag = language.strip().lower().replace("_", "-")
    tag = _CODES.get(tag, tag)
    parts = tag.split("-")
    tags = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [*tags, *filter(None, [OTHER_CODES.get(parts[0])])]


def name_of(language: str) -> str:
    """The name in English, in lower case; the tag itself if the language has none here."""
    return next((NAMES[tag] for tag in tags_of(language) if tag in NAMES), language)
