import assert from "node:assert/strict"
import { test } from "node:test"

import { LevelWatch } from "../../../static/js/audio/level-watch.js"

const SECOND = 12.5
const MUTED = { rms: 0, peak: 0 }
const QUIET_ROOM = { rms: 0.001, peak: 0.004 }
const SPEECH = { rms: 0.1, peak: 0.6 }
const TOO_LOUD = { rms: 0.5, peak: 1 }

test("a muted microphone is reported after some seconds", () => {
  const watch = watched([MUTED, 4 * SECOND])
  assert.equal(watch.hint, null)
  feed(watch, MUTED, 2 * SECOND)
  assert.equal(watch.hint, "silent")
  feed(watch, SPEECH, 1)
  assert.equal(watch.hint, null)
})

test("silence in a quiet room is not reported", () => {
  assert.equal(watched([QUIET_ROOM, 60 * SECOND]).hint, null)
})

test("clipping is reported until it stops", () => {
  const watch = watched([SPEECH, SECOND], [TOO_LOUD, SECOND])
  assert.equal(watch.hint, "clipping")
  feed(watch, SPEECH, 2 * SECOND)
  assert.equal(watch.hint, "clipping")
  feed(watch, SPEECH, 2 * SECOND)
  assert.equal(watch.hint, null)
})

test("clipping of less than a second is not reported", () => {
  assert.equal(watched([TOO_LOUD, 9], [SPEECH, SECOND]).hint, null)
})

test("clear resets the hint", () => {
  const watch = watched([MUTED, 10 * SECOND])
  watch.clear()
  assert.equal(watch.hint, null)
})

function watched(...stretches) {
  const watch = new LevelWatch()
  for (const [level, frames] of stretches) feed(watch, level, frames)
  return watch
}

function feed(watch, level, frames) {
  for (let i = 0; i < frames; i++) watch.push(level)
}
