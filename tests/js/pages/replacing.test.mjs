// What the page marks before it is replaced is what the server replaces (tests/speech/text/test_find_replace.py).

import assert from "node:assert/strict"
import { test } from "node:test"

import { patternOf, placesIn } from "../../../static/js/pages/session/find.js"

const found = (text, wanted, options) => [...text.matchAll(patternOf(wanted, options))].map(([place]) => place)

test("whole words are found in any case, unless it is asked otherwise", () => {
  assert.deepEqual(found("Hart harte hart", "hart"), ["Hart", "hart"])
  assert.deepEqual(found("Hart harte hart", "hart", { matchesCase: true }), ["hart"])
  assert.deepEqual(found("Hart harte hart", "hart", { inWords: true }), ["Hart", "hart", "hart"])
})

test("letters of every script belong to words", () => {
  assert.deepEqual(found("un Été, étés", "été"), ["Été"])
  assert.deepEqual(found("שלום עולם", "שלום"), ["שלום"])
})

test("nothing that is typed is taken for a pattern", () => {
  for (const text of [".*", "a|b", "(", "[x]", "\\d", "no hart?", "a/b-c", "{2}", "^$"]) assert.deepEqual(found(`so ${text} it is`, text), [text])
})

test("spaces alone look for nothing", () => assert.equal(patternOf("  "), null))

test("a place may begin in one word and end in another", () => {
  const places = placesIn(["in", "the", "heart", "of", "Paris."], patternOf("heart  of paris"))
  assert.deepEqual(places, [{ from: { word: 2, character: 0 }, to: { word: 4, character: 5 } }])
})
