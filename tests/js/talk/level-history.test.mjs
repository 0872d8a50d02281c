import assert from "node:assert/strict"
import { test } from "node:test"

import { LevelHistory } from "../../../static/js/talk/level-history.js"

test("levels of both sides are kept from the newest to the oldest", () => {
  const levels = new LevelHistory()
  levels.push(1, 0)
  levels.push(0, 1)
  assert.deepEqual([levels.userAt(0), levels.userAt(1), levels.userAt(2)], [0, 1, 0])
  assert.deepEqual([levels.assistantAt(0), levels.assistantAt(1)], [1, 0])
  levels.clear()
  assert.equal(levels.userAt(0), 0)
})

test("old levels are forgotten", () => {
  const levels = new LevelHistory()
  levels.push(1, 1)
  for (let i = 0; i < 300; i++) levels.push(0, 0)
  assert.equal(levels.userAt(300), 0)
})
