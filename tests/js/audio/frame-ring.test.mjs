import assert from "node:assert/strict"
import { test } from "node:test"

import { FrameRing } from "../../../static/js/audio/frame-ring.js"
import { SAMPLE_RATE } from "../../../static/js/audio/samples.js"

test("pushed samples can be read from any position", () => {
  const ring = filled(100, [10, 20, 5])
  assert.deepEqual([...ring.read(8, 4)], [8, 9, 10, 11])
  assert.deepEqual([...ring.read(33, 100)], [33, 34])
  assert.equal(ring.read(35).length, 0)
})

test("reads across internal chunks are contiguous", () => {
  const ring = filled(60 * SAMPLE_RATE, [25 * SAMPLE_RATE, 7])
  const position = 20 * SAMPLE_RATE - 2
  assert.deepEqual([...ring.read(position, 4)], [0, 1, 2, 3].map((i) => Int16Array.of(position + i)[0]))
})

test("a full ring rejects new samples and keeps the old ones", () => {
  const ring = filled(16, [10])
  assert.ok(!ring.push(new Int16Array(10)))
  assert.deepEqual([ring.start, ring.end, ring.length], [0, 10, 10])
  ring.discardBefore(4)
  assert.ok(ring.push(new Int16Array(10)))
})

test("a ring reports that it is nearly full", () => {
  assert.ok(!filled(10, [7]).isNearlyFull)
  assert.ok(filled(10, [8]).isNearlyFull)
})

test("acknowledgements of past or future positions are harmless", () => {
  const ring = filled(16, [10])
  ring.discardBefore(8)
  ring.discardBefore(3)
  assert.equal(ring.start, 8)
  ring.discardBefore(99)
  assert.deepEqual([ring.start, ring.end], [10, 10])
})

test("resuming at a position in the ring keeps the samples after it", () => {
  const ring = filled(16, [10])
  ring.resumeFrom(7)
  assert.deepEqual([ring.start, ring.end, ring.renumbered], [7, 10, 0])
})

test("session time skips discarded samples, which are counted", () => {
  const ring = filled(16, [8])
  ring.discardBefore(6)
  ring.resumeFrom(2)
  assert.deepEqual([ring.start, ring.end, ring.dropped], [2, 4, 4])
  assert.deepEqual([...ring.read(2)], [6, 7])
})

test("restored audio is followed by new recordings", () => {
  const ring = FrameRing.restore([Int16Array.of(1, 2), Int16Array.of(3)], 40)
  ring.push(Int16Array.of(9))
  ring.resumeFrom(41)
  assert.deepEqual([ring.start, ring.end], [41, 44])
  assert.deepEqual([...ring.read(41)], [2, 3, 9])
})

test("samples the server has beyond the restored audio do not replace new recordings", () => {
  const ring = FrameRing.restore([Int16Array.of(1, 2, 3)], 40)
  ring.push(Int16Array.of(7, 8, 9))
  ring.resumeFrom(45)
  assert.deepEqual([ring.start, ring.end, ring.dropped], [45, 48, 0])
  assert.deepEqual([...ring.read(45)], [7, 8, 9])
})

test("the default capacity is half an hour", () => {
  assert.equal(new FrameRing().capacity_s, 1800)
})

// Each sample's value is its position.
function filled(capacity, sizes) {
  const ring = new FrameRing(capacity)
  for (const size of sizes) ring.push(Int16Array.from({ length: size }, (_, i) => ring.end + i))
  return ring
}
