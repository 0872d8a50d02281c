import assert from "node:assert/strict"
import { test } from "node:test"

import { Timeline } from "../../../static/js/playback/timeline.js"

const timeline = new Timeline([
  { start: 1, end: 1.4 },
  { start: 1.5, end: 2 },
  { start: 6, end: 6.5 },
])

test("a word is current while it is spoken and slightly longer", () => {
  assert.deepEqual([0.9, 1, 1.45, 1.5, 2.2, 2.4, 6.1, 99].map((at) => timeline.wordAt(at)), [-1, 0, 0, 1, 1, -1, 2, -1])
})

test("the next word is found from any time", () => {
  assert.deepEqual([0, 1, 1.2, 5, 7].map((at) => timeline.wordFrom(at)), [0, 0, 1, 2, -1])
})

test("a silence is skipped to shortly before the next word, or to the end", () => {
  assert.equal(timeline.afterSilence(0.5, 10), 0.8)
  assert.equal(timeline.afterSilence(3, 10), 5.8)
  assert.equal(timeline.afterSilence(7, 10), 10)
})

test("neither words nor short pauses are skipped", () => {
  for (const at of [1.2, 1.45, 2.1, 5.9, 6.2]) assert.equal(timeline.afterSilence(at, 10), null)
})

test("speech is detected in any interval", () => {
  assert.deepEqual([[0, 0.9], [0.9, 1.1], [2.1, 5.9], [1.9, 6.1]].map(([start, end]) => timeline.hasSpeechBetween(start, end)), [false, true, false, true])
})

test("an empty timeline has no words", () => {
  assert.equal(new Timeline([]).wordAt(3), -1)
  assert.equal(new Timeline([]).hasSpeechBetween(0, 3), false)
})
