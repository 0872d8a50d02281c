// A text in sentences, and where in it a word lies that the server counts in characters.

// [{start, end}], positions in the string; together they are the whole text.
export function sentencesOf(text) {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" })
  return Array.from(segmenter.segment(text), ({ index, segment }) => ({ start: index, end: index + segment.length }))
}

// The sentence that a position lies in.
export function sentenceAt(sentences, position) {
  let low = 0
  let high = sentences.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    sentences[middle].start <= position ? (low = middle) : (high = middle - 1)
  }
  return low
}

// Turns positions in characters, as Python counts them, into those of a string here, where some take two places.
export function placesIn(text) {
  const letters = [...text]
  if (letters.length === text.length) return (position) => position
  const places = [0]
  for (const letter of letters) places.push(places.at(-1) + letter.length)
  return (position) => places[Math.min(position, places.length - 1)]
}
