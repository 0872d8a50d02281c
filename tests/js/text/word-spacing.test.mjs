import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { joinWords, unitsOf } from "../../../static/js/text/word-spacing.js"

const CASES = JSON.parse(readFileSync(new URL("word-spacing.json", import.meta.url)))

for (const { words, text } of CASES) {
  test(`words make the text: ${text}`, () => assert.equal(joinWords(words), text))
}

test("units are characters of scripts without spaces, and words of others", () => {
  assert.deepEqual(unitsOf("今日は Python, ที่ ok").map(({ text }) => text), ["今", "日", "は", "Python,", "ที่", "ok"])
})
