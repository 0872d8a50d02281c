import assert from "node:assert/strict"
import { test } from "node:test"

import { InterimText } from "../../../static/js/live/interim-text.js"

test("the prefix shared by two hypotheses settles, ignoring case and punctuation", () => {
  assert.equal(after("We met at noon.").settled, "")
  assert.equal(after("We met at noon.", "We met at noon and spoke about the car").settled, "We met at noon")
  const interim = after("We met at noon and spoke about the car", "We met at noon and spoke about the garden")
  assert.equal(interim.settled, "We met at noon and spoke about the")
})

test("a single hypothesis does not change the settled prefix", () => {
  const interim = after("in the heart", "in the heart of", "1. In the heart of the")
  assert.deepEqual([interim.text, interim.settled], ["in the heart of", "in the heart"])
  interim.update("in the heart of the forest")
  assert.deepEqual([interim.text, interim.settled], ["in the heart of the forest", "in the heart"])
})

test("two hypotheses that agree change the settled prefix", () => {
  const interim = after("two", "two more words", "to the woods", "to the wood")
  assert.deepEqual([interim.text, interim.settled], ["to the wood", "to the"])
  assert.equal(after("two", "two more", "to the", "too much").text, "too much")
})

test("an empty hypothesis applies immediately", () => {
  const interim = after("two", "two more", "")
  assert.deepEqual([interim.text, interim.settled], ["", ""])
})

test("a final word is removed", () => {
  const interim = after("hello wide", "hello wide world")
  interim.finalize("hello")
  assert.deepEqual([interim.text, interim.settled], ["wide world", "wide"])
})

test("a different final word clears the text", () => {
  const interim = after("hello wide", "hello wide world")
  interim.finalize("yellow")
  assert.deepEqual([interim.text, interim.settled], ["", ""])
})

test("characters of scripts without spaces settle and are removed one by one", () => {
  const interim = after("今日は良い天気", "今日は良い天候です")
  assert.equal(interim.settled, "今日は良い天")
  interim.finalize("今日")
  assert.deepEqual([interim.text, interim.settled], ["は良い天候です", "は良い天"])
  assert.equal(after("สวัสดี", "สวัสดี ครับ").settled, "สวัสดี")
})

test("a part of a word is not removed", () => {
  const interim = after("helloed world")
  interim.finalize("hello")
  assert.equal(interim.text, "")
})

function after(...hypotheses) {
  const interim = new InterimText()
  for (const hypothesis of hypotheses) interim.update(hypothesis)
  return interim
}
