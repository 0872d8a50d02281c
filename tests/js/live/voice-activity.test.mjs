import assert from "node:assert/strict"
import { test } from "node:test"

import { VoiceActivity } from "../../../static/js/live/voice-activity.js"

test("a step sets the speech of every frame since the last one", () => {
  const activity = recorded(4)
  activity.processed(1920, 0.1)
  activity.processed(3 * 1920, 0.9)
  assert.deepEqual([0, 1, 2].map((frame) => Math.round(activity.speechAt(frame) * 10)), [1, 9, 9])
  assert.ok(Number.isNaN(activity.speechAt(3)))
})

test("the history is limited", () => {
  const activity = recorded(10_000)
  assert.equal(activity.levelAt(0), 0)
  assert.equal(activity.levelAt(9_999), 0.5)
  activity.endpoint(1)
  activity.endpoint(799)
  activity.pause()
  assert.deepEqual(activity.marks.map(({ kind }) => kind), ["endpoint", "pause"])
})

test("an endpoint is marked at its frame", () => {
  const activity = recorded(100)
  activity.endpoint(4)
  assert.deepEqual(activity.marks, [{ kind: "endpoint", frame: 50 }])
})

function recorded(frames) {
  const activity = new VoiceActivity()
  for (let frame = 0; frame < frames; frame++) activity.recorded(0.5)
  return activity
}

test("a step sets the probability of each pause length for every frame since the last one", () => {
  const activity = new VoiceActivity()
  for (let i = 0; i < 3; i++) activity.recorded(0.1)
  assert.equal(activity.heads, 0)
  activity.processed(1920, 1, [0.25, 0])
  activity.processed(3 * 1920, 0, [0.75, 0.5])
  assert.equal(activity.heads, 2)
  assert.deepEqual([0, 1, 2].map((frame) => activity.pauseAt(0, frame)), [0.25, 0.75, 0.75])
  activity.recorded(0.1)
  assert.ok(Number.isNaN(activity.pauseAt(1, 3)))
  activity.clear()
  assert.equal(activity.heads, 0)
})
