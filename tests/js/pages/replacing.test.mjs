// The page highlights the same matches that the server replaces (tests/speech/text/test_find_replace.py).

import assert from "node:assert/strict"
import { test } from "node:test"

import { patternOf, matchesIn } from "../../../static/js/pages/session/find.js"

const found = (text, query, options) => [...text.matchAll(patternOf(query, options))].map(([match]) => match)

test("whole words are found in any case by default", () => {
  assert.deepEqual(found("Hart harte hart", "hart"), ["Hart", "hart"])
  assert.deepEqual(found("Hart harte hart", "hart", { matchesCase: true }), ["hart"])
  assert.deepEqual(found("Hart harte hart", "hart", { partsOfWords: true }), ["Hart", "hart", "hart"])
})

test("letters of every script are word characters", () => {
  assert.deepEqual(found("un Été, étés", "été"), ["Été"])
  assert.deepEqual(found("שלום עולם", "שלום"), ["שלום"])
})

test("input is not interpreted as a regular expression", () => {
  for (const text of [".*", "a|b", "(", "[x]", "\\d", "no hart?", "a/b-c", "{2}", "^$"]) assert.deepEqual(found(`so ${text} it is`, text), [text])
})

test("spaces alone match nothing", () => assert.equal(patternOf("  "), null))

test("a match can span several words", () => {
  const matches = matchesIn(["in", "the", "heart", "of", "Paris."], patternOf("heart  of paris"))
  assert.deepEqual(matches, [{ from: { word: 2, character: 0 }, to: { word: 4, character: 5 } }])
})
