// Sentences of a text, and conversion of the server's character offsets to string offsets.

// [{start, end}], string offsets that together cover the whole text.
export function sentencesOf(text) {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" })
  return Array.from(segmenter.segment(text), ({ index, segment }) => ({ start: index, end: index + segment.length }))
}

// The index of the sentence that contains a position.
export function sentenceAt(sentences, position) {
  let low = 0
  let high = sentences.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    sentences[middle].start <= position ? (low = middle) : (high = middle - 1)
  }
  return low
}

// A function that converts offsets in code points, as Python counts them, to offsets in UTF-16 code units.
export function offsetConverter(text) {
  const characters = [...text]
  if (characters.length === text.length) return (position) => position
  const offsets = [0]
  for (const character of characters) offsets.push(offsets.at(-1) + character.length)
  return (position) => offsets[Math.min(position, offsets.length - 1)]
}
