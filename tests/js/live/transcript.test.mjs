import assert from "node:assert/strict"
import { test } from "node:test"

import { Transcript } from "../../../static/js/live/transcript.js"

test("words gather in utterances until their end-point", () => {
  const transcript = spoken("and so my | fellow americans")
  assert.equal(transcript.text, "and so my\nfellow americans")
  assert.deepEqual(transcript.utterances.map(({ isOver }) => isOver), [true, false])
})

test("the file has the time of each utterance", () => {
  assert.equal(spoken("one two | three").timedText, "[0:00] one two\n[0:02] three\n")
})

test("a word that came again is not said twice", () => {
  const transcript = spoken("one two")
  transcript.add(word(1, "two"))
  assert.equal(transcript.text, "one two")
})

test("a word that becomes final leaves the tail", () => {
  const transcript = new Transcript()
  transcript.setTail("hello wide world")
  transcript.add(word(0, "hello"))
  assert.equal(transcript.tail, "wide world")
  transcript.add(word(1, "white"))
  assert.equal(transcript.tail, "")
})

test("a settled word that becomes final leaves what is settled", () => {
  const transcript = new Transcript()
  for (const text of ["hello wide", "hello wide world"]) transcript.setTail(text)
  transcript.add(word(0, "hello"))
  assert.deepEqual([transcript.settled, transcript.tail], ["wide", "wide world"])
})

test("rewinding within an utterance opens it again", () => {
  const transcript = spoken("one two | three four |")
  transcript.rewind(3)
  assert.equal(transcript.text, "one two\nthree")
  transcript.add(word(3, "for"))
  assert.equal(transcript.text, "one two\nthree for")
})

test("rewinding to an end-point keeps it", () => {
  const transcript = spoken("one two | three")
  transcript.rewind(2)
  transcript.add(word(2, "tree"))
  assert.equal(transcript.text, "one two\ntree")
})

test("rewinding past the end changes no word but drops the tail", () => {
  const transcript = spoken("one two")
  transcript.setTail("three")
  transcript.rewind(2)
  assert.equal(transcript.text, "one two")
  assert.equal(transcript.tail, "")
})

test("words that come before others that are missing wait for them", () => {
  const transcript = new Transcript()
  transcript.add(word(2, "three"))
  assert.equal(transcript.text, "")
  transcript.add(word(0, "one"))
  transcript.add(word(1, "two"))
  assert.equal(transcript.text, "one two three")
})

test("words that were fetched bring their utterances with them", () => {
  const transcript = new Transcript()
  for (const [index, segment] of [0, 0, 1].entries()) transcript.add({ ...word(index, `w${index}`), segment })
  transcript.endUtterance({ segment: 0, start: 0, end: 2 })
  assert.equal(transcript.text, "w0 w1\nw2")
  assert.deepEqual(transcript.utterances.map(({ isOver }) => isOver), [true, false])
})

test("an end-point in silence makes no empty utterance", () => {
  const transcript = spoken("one |")
  transcript.endUtterance({ segment: 1, start: 5, end: 6 })
  assert.equal(transcript.utterances.length, 1)
  assert.equal(transcript.utterances[0].end, 1)
})

test("a moment leads to the word that was said then, or to the next one", () => {
  const transcript = new Transcript()
  for (const [index, start] of [1, 2, 5].entries()) transcript.add({ ...word(index, "w"), start, end: start + 0.5 })
  assert.deepEqual([0, 1.2, 1.7, 2.1, 4, 5.4, 60].map((at) => transcript.indexAt(at)), [0, 0, 1, 1, 2, 2, 2])
})

test("it tells each change once", () => {
  const transcript = new Transcript()
  const told = []
  for (const name of ["word", "tail", "endpoint", "rewind", "clear"]) {
    transcript.addEventListener(name, () => told.push(name))
  }
  for (let i = 0; i < 3; i++) transcript.setTail("one")
  transcript.add(word(0, "one"))
  transcript.endUtterance({ end: 1 })
  transcript.rewind(0)
  transcript.clear()
  assert.deepEqual(told, ["tail", "tail", "word", "tail", "endpoint", "rewind", "clear"])
})

// "|" is an end-point; word i lasts from second i to i + 1.
function spoken(script) {
  const transcript = new Transcript()
  for (const text of script.split(" ")) {
    const count = transcript.words.length
    text === "|" ? transcript.endUtterance({ end: count }) : transcript.add(word(count, text))
  }
  return transcript
}

function word(index, text) {
  return { index, text, start: index, end: index + 1, confidence: 0.9 }
}
