import assert from "node:assert/strict"
import { test } from "node:test"

import { Tail } from "../../../static/js/live/interim-text.js"

test("what two readings agree on settles, whatever its case and its points", () => {
  assert.equal(after("We met at noon.").settled, "")
  assert.equal(after("We met at noon.", "We met at noon and spoke about the car").settled, "We met at noon")
  const tail = after("We met at noon and spoke about the car", "We met at noon and spoke about the garden")
  assert.equal(tail.settled, "We met at noon and spoke about the")
})

test("one reading alone does not take back what has settled", () => {
  const tail = after("in the heart", "in the heart of", "1. In the heart of the")
  assert.deepEqual([tail.text, tail.settled], ["in the heart of", "in the heart"])
  tail.read("in the heart of the forest")
  assert.deepEqual([tail.text, tail.settled], ["in the heart of the forest", "in the heart"])
})

test("two readings do", () => {
  const tail = after("two", "two more words", "to the woods", "to the wood")
  assert.deepEqual([tail.text, tail.settled], ["to the wood", "to the"])
  assert.equal(after("two", "two more", "to the", "too much").text, "too much")
})

test("a reading without a word is believed at once", () => {
  const tail = after("two", "two more", "")
  assert.deepEqual([tail.text, tail.settled], ["", ""])
})

test("a word that has become final leaves", () => {
  const tail = after("hello wide", "hello wide world")
  tail.leave("hello")
  assert.deepEqual([tail.text, tail.settled], ["wide world", "wide"])
})

test("where it became another word nothing is kept", () => {
  const tail = after("hello wide", "hello wide world")
  tail.leave("yellow")
  assert.deepEqual([tail.text, tail.settled], ["", ""])
})

function after(...readings) {
  const tail = new Tail()
  for (const reading of readings) tail.read(reading)
  return tail
}
