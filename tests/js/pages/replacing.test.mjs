// The page highlights the same matches that the server replaces (tests/speech/text/test_find_replace.py).

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { finderOf, matchesIn } from "../../../static/js/pages/session/find.js"

const CASES = JSON.parse(readFileSync(new URL("../text/find.json", import.meta.url)))

const found = (text, query, options) => finderOf(query, options)(text).map(({ start, end }) => text.slice(start, end))

for (const { find, text, matches, ...options } of CASES) {
  test(`“${find}” in “${text}” ${JSON.stringify(options)}`, () => assert.deepEqual(found(text, find, options), matches))
}

test("input is not interpreted as a regular expression", () => {
  for (const text of [".*", "a|b", "(", "[x]", "\\d", "no hart?", "a/b-c", "{2}", "^$"]) assert.deepEqual(found(`so ${text} it is`, text), [text])
})

test("spaces alone match nothing", () => assert.equal(finderOf("  "), null))

test("a match can span several words", () => {
  const matches = matchesIn(["in", "the", "heart", "of", "Paris."], finderOf("heart  of paris"))
  assert.deepEqual(matches, [{ from: { word: 2, character: 0 }, to: { word: 4, character: 5 } }])
  const unspaced = matchesIn(["今日", "は", "Python", "日"], finderOf("日は python", { partsOfWords: true }))
  assert.deepEqual(unspaced, [{ from: { word: 0, character: 1 }, to: { word: 2, character: 6 } }])
})

test("a word with thousands of accents is searched in time proportional to their number", () => {
  const word = `a${"\u0301\u0323".repeat(50_000)}`
  assert.equal(found(word, "b").length, 0)
})
