// Where a text stands in what was said, as the server will find it (speech/text/find_replace.py). Knows no page.

const IN_A_WORD = String.raw`[\p{L}\p{N}_]`
const BEGINS_AS_WORD = new RegExp(`^${IN_A_WORD}`, "u")
const ENDS_AS_WORD = new RegExp(`${IN_A_WORD}$`, "u")

// What finds a text; null for none.
export function patternOf(text, { matchesCase = false, inWords = false } = {}) {
  const wanted = text.split(/\s+/).filter(Boolean).join(" ")
  if (!wanted) return null
  const before = !inWords && BEGINS_AS_WORD.test(wanted) ? `(?<!${IN_A_WORD})` : ""
  const after = !inWords && ENDS_AS_WORD.test(wanted) ? `(?!${IN_A_WORD})` : ""
  return new RegExp(before + escaped(wanted) + after, matchesCase ? "gu" : "giu")
}

// Of the words of one utterance: from which character of which word to which of which, of each place.
export function placesIn(words, pattern) {
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

function escaped(text) {
  return text.replace(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`)
}
