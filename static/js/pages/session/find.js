// Finds text in a transcript exactly as the server does (speech/text/find_replace.py): texts match if they are the same in
// Unicode, however they are encoded. tests/js/text/find.json has cases for both. Independent of the DOM.

import { gap, isUnspaced } from "../../text/word-spacing.js"

const ACCENT = /^[\u0300-\u036f\u3099\u309a]/ // of the letter before it: “e” is not a part of “é”
const MARK = /^\p{M}/u
const CHARACTER_OF_WORD = /^[\p{L}\p{N}\p{M}_]/u

// A function that returns {start, end} of each match in a string; null for an empty text.
export function finderOf(text, { matchesCase = false, partsOfWords = false } = {}) {
  const query = text.split(/\s+/).filter(Boolean).join(" ")
  if (!query) return null
  const sought = fold(query, matchesCase).folded
  return (string) => matchesOf(sought, fold(string, matchesCase), partsOfWords)
}

// Each match in a segment's words: {from, to}, both {word, character}.
export function matchesIn(words, finder) {
  const starts = []
  let joined = ""
  words.forEach((word, index) => {
    joined += gap(words[index - 1], word)
    starts.push(joined.length)
    joined += word
  })
  const at = (offset) => {
    const word = starts.findLastIndex((start) => start <= offset)
    return { word, character: offset - starts[word] }
  }
  return finder(joined).map(({ start, end }) => {
    const last = at(end - 1)
    return { from: at(start), to: { word: last.word, character: last.character + 1 } }
  })
}

function matchesOf(sought, { folded, origins }, partsOfWords) {
  const matches = []
  let end = 0
  for (;;) {
    const start = folded.indexOf(sought, end)
    if (start < 0) return matches
    end = start + sought.length
    const isInsideCharacter = (start && origins[start - 1] === origins[start]) || origins[end - 1] === origins[end]
    const isInsideLetter = ACCENT.test(folded.slice(end, end + 1))
    const isPart = !partsOfWords && (isInsideWord(folded, start) || isInsideWord(folded, end))
    if (isInsideCharacter || isInsideLetter || isPart) end = start + 1
    else matches.push({ start: origins[start], end: origins[end] })
  }
}

// The text in decomposed characters and, unless case matters, lower case; and for each index the one in `text` that it is
// from.
function fold(text, matchesCase) {
  const origins = []
  let folded = ""
  let index = 0
  for (const character of text) {
    let part = character.normalize("NFKD")
    if (!matchesCase) part = part.toLowerCase().toUpperCase().toLowerCase().normalize("NFKD")
    for (let n = 0; n < part.length; n++) origins.push(index)
    folded += part
    index += character.length
  }
  origins.push(index)
  return { folded: folded.replace(/\p{M}{2,}/gu, (marks) => marks.normalize("NFD")), origins }
}

// Whether a word continues at an index. Between characters of a script without spaces, a new one can begin.
function isInsideWord(text, index) {
  if (index <= 0 || index >= text.length) return false
  const before = String.fromCodePoint(text.codePointAt(isLowSurrogate(text, index - 1) ? index - 2 : index - 1))
  const after = String.fromCodePoint(text.codePointAt(index))
  if (!CHARACTER_OF_WORD.test(before) || !CHARACTER_OF_WORD.test(after)) return false
  return MARK.test(after) || !(isUnspaced.test(before) || isUnspaced.test(after))
}

function isLowSurrogate(text, index) {
  return /[\udc00-\udfff]/.test(text[index])
}
