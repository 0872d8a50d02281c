import assert from "node:assert/strict"
import { test } from "node:test"

import { Transcript } from "../../../static/js/live/transcript.js"

test("words collect in segments until their endpoint", () => {
  const transcript = transcriptOf("and so my | fellow americans")
  assert.equal(transcript.text, "and so my\nfellow americans")
  assert.deepEqual(transcript.segments.map(({ isOver }) => isOver), [true, false])
})

test("the file has the time of each segment", () => {
  assert.equal(transcriptOf("one two | three").timedText, "[0:00] one two\n[0:02] three\n")
})

test("duplicate words are ignored", () => {
  const transcript = transcriptOf("one two")
  transcript.add(word(1, "two"))
  assert.equal(transcript.text, "one two")
})

test("a final word leaves the interim text", () => {
  const transcript = new Transcript()
  transcript.setInterim("hello wide world")
  transcript.add(word(0, "hello"))
  assert.equal(transcript.interim, "wide world")
  transcript.add(word(1, "white"))
  assert.equal(transcript.interim, "")
})

test("a final word leaves the settled text", () => {
  const transcript = new Transcript()
  for (const text of ["hello wide", "hello wide world"]) transcript.setInterim(text)
  transcript.add(word(0, "hello"))
  assert.deepEqual([transcript.settled, transcript.interim], ["wide", "wide world"])
})

test("rewinding within a segment reopens it", () => {
  const transcript = transcriptOf("one two | three four |")
  transcript.rewind(3)
  assert.equal(transcript.text, "one two\nthree")
  transcript.add(word(3, "for"))
  assert.equal(transcript.text, "one two\nthree for")
})

test("rewinding to an endpoint keeps it", () => {
  const transcript = transcriptOf("one two | three")
  transcript.rewind(2)
  transcript.add(word(2, "tree"))
  assert.equal(transcript.text, "one two\ntree")
})

test("rewinding past the end keeps the words and drops the interim text", () => {
  const transcript = transcriptOf("one two")
  transcript.setInterim("three")
  transcript.rewind(2)
  assert.equal(transcript.text, "one two")
  assert.equal(transcript.interim, "")
})

test("words that arrive early wait for the missing ones", () => {
  const transcript = new Transcript()
  transcript.add(word(2, "three"))
  assert.equal(transcript.text, "")
  transcript.add(word(0, "one"))
  transcript.add(word(1, "two"))
  assert.equal(transcript.text, "one two three")
})

test("fetched words bring their segments with them", () => {
  const transcript = new Transcript()
  for (const [index, segment] of [0, 0, 1].entries()) transcript.add({ ...word(index, `w${index}`), segment })
  transcript.endSegment({ segment: 0, start: 0, end: 2 })
  assert.equal(transcript.text, "w0 w1\nw2")
  assert.deepEqual(transcript.segments.map(({ isOver }) => isOver), [true, false])
})

test("an endpoint in silence creates no empty segment", () => {
  const transcript = transcriptOf("one |")
  transcript.endSegment({ segment: 1, start: 5, end: 6 })
  assert.equal(transcript.segments.length, 1)
  assert.equal(transcript.segments[0].end, 1)
})

test("a time maps to the word spoken then, or to the next one", () => {
  const transcript = new Transcript()
  for (const [index, start] of [1, 2, 5].entries()) transcript.add({ ...word(index, "w"), start, end: start + 0.5 })
  assert.deepEqual([0, 1.2, 1.7, 2.1, 4, 5.4, 60].map((at) => transcript.indexAt(at)), [0, 0, 1, 1, 2, 2, 2])
})

test("each change is emitted once", () => {
  const transcript = new Transcript()
  const events = []
  for (const name of ["word", "interim", "endpoint", "rewind", "clear"]) {
    transcript.addEventListener(name, () => events.push(name))
  }
  for (let i = 0; i < 3; i++) transcript.setInterim("one")
  transcript.add(word(0, "one"))
  transcript.endSegment({ end: 1 })
  transcript.rewind(0)
  transcript.clear()
  assert.deepEqual(events, ["interim", "interim", "word", "interim", "endpoint", "rewind", "clear"])
})

// "|" is an endpoint; word i lasts from second i to i + 1.
function transcriptOf(script) {
  const transcript = new Transcript()
  for (const text of script.split(" ")) {
    const count = transcript.words.length
    text === "|" ? transcript.endSegment({ end: count }) : transcript.add(word(count, text))
  }
  return transcript
}

function word(index, text) {
  return { index, text, start: index, end: index + 1, confidence: 0.9 }
}
