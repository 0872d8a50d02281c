import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { UserSpeech } from "../../../static/js/talk/user-speech.js"

let speech

beforeEach(() => (speech = new UserSpeech()))

function say(...words) {
  for (const [index, text] of words) speech.add({ index, text })
}

test("words and interim text form the turn, and indexes may have gaps", () => {
  say([3, "What"], [9, "is"])
  speech.setInterim("that then", 1, 2)
  assert.equal(speech.text, "What is that then")
  say([10, "that"])
  assert.deepEqual([speech.words.length, speech.interim], [3, "then"])
})

test("words that arrive again are ignored, also after their turn", () => {
  say([0, "Hello."], [0, "Hello."])
  assert.equal(speech.text, "Hello.")
  speech.finish()
  say([0, "Hello."], [1, "Next"])
  assert.equal(speech.text, "Next")
})

test("words that the server sends again are discarded", () => {
  say([0, "one"], [5, "two"])
  speech.setInterim("three", 0, 1)
  speech.rewind(5)
  assert.equal(speech.text, "one")
  say([5, "too"])
  assert.equal(speech.text, "one too")
})

test("interim text of very short audio is not shown", () => {
  speech.setInterim("H. H.", 1, 1.3)
  assert.equal(speech.text, "")
  speech.setInterim("Hello", 1, 1.6)
  assert.equal(speech.text, "Hello")
  speech.setInterim("", 0, 0)
  assert.equal(speech.text, "")
})

test("a cleared turn forgets all indexes", () => {
  say([7, "old"])
  speech.clear()
  say([0, "new"])
  assert.equal(speech.text, "new")
})
