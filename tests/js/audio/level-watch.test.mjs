import assert from "node:assert/strict"
import { test } from "node:test"

import { LevelWatch } from "../../../static/js/audio/level-watch.js"

const SECOND = 12.5
const SWITCHED_OFF = { rms: 0, peak: 0 }
const QUIET_ROOM = { rms: 0.001, peak: 0.004 }
const SPEECH = { rms: 0.1, peak: 0.6 }
const TOO_LOUD = { rms: 0.5, peak: 1 }

test("a microphone that is switched off is told after some seconds", () => {
  const watch = watched([SWITCHED_OFF, 4 * SECOND])
  assert.equal(watch.hint, null)
  feed(watch, SWITCHED_OFF, 2 * SECOND)
  assert.equal(watch.hint, "silent")
  feed(watch, SPEECH, 1)
  assert.equal(watch.hint, null)
})

test("who is silent in a quiet room has done nothing wrong", () => {
  assert.equal(watched([QUIET_ROOM, 60 * SECOND]).hint, null)
})

test("a voice that is too loud is told, until it is not any more", () => {
  const watch = watched([SPEECH, SECOND], [TOO_LOUD, SECOND])
  assert.equal(watch.hint, "clipping")
  feed(watch, SPEECH, 2 * SECOND)
  assert.equal(watch.hint, "clipping")
  feed(watch, SPEECH, 2 * SECOND)
  assert.equal(watch.hint, null)
})

test("gain control that settles within a second is not told", () => {
  assert.equal(watched([TOO_LOUD, 9], [SPEECH, SECOND]).hint, null)
})

test("a new session begins without a past", () => {
  const watch = watched([SWITCHED_OFF, 10 * SECOND])
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
