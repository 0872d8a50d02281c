// Finds text in a transcript exactly as the server does (speech/text/find_replace.py). Independent of the DOM.

const WORD_CHARACTER = String.raw`[\p{L}\p{N}_]`
const STARTS_WITH_WORD_CHARACTER = new RegExp(`^${WORD_CHARACTER}`, "u")
const ENDS_WITH_WORD_CHARACTER = new RegExp(`${WORD_CHARACTER}$`, "u")

// A RegExp that finds a text; null for an empty text.
export function patternOf(text, { matchesCase = false, partsOfWords = false } = {}) {
  const query = text.split(/\s+/).filter(Boolean).join(" ")
  if (!query) return null
  const before = !partsOfWords && STARTS_WITH_WORD_CHARACTER.test(query) ? `(?<!${WORD_CHARACTER})` : ""
  const after = !partsOfWords && ENDS_WITH_WORD_CHARACTER.test(query) ? `(?!${WORD_CHARACTER})` : ""
  return new RegExp(before + escape(query) + after, matchesCase ? "gu" : "giu")
}

// Each match in a segment's words: {from, to}, both {word, character}.
export function matchesIn(words, pattern) {
  const starts = []
  let length = 0
  for (const word of words) {
    starts.push(length)
    length += word.length + 1
  }
  const at = (offset) => {
    const word = starts.findLastIndex((start) => start <= offset)
    return { word, character: offset - starts[word] }
  }
  return [...words.join(" ").matchAll(pattern)].map(({ index, 0: { length } }) => {
    const last = at(index + length - 1)
    return { from: at(index), to: { word: last.word, character: last.character + 1 } }
  })
}

function escape(text) {
  return text.replace(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`)
}
