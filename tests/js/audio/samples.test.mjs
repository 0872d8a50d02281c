import assert from "node:assert/strict"
import { test } from "node:test"

import { concatenate } from "../../../static/js/audio/samples.js"

test("parts are copied one after the other", () => {
  const whole = concatenate([Int16Array.of(1, 2), Int16Array.of(), Int16Array.of(3)], new Int16Array(3))
  assert.deepEqual(whole, Int16Array.of(1, 2, 3))
})

test("nothing is concatenated to an empty array", () => {
  assert.equal(concatenate([], new Float32Array(0)).length, 0)
})
