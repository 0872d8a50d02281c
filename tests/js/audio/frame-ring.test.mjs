import assert from "node:assert/strict"
import { test } from "node:test"

import { FrameRing, SAMPLE_RATE } from "../../../static/js/audio/frame-ring.js"

test("what was pushed can be read from any position", () => {
  const ring = filled(100, [10, 20, 5])
  assert.deepEqual([...ring.read(8, 4)], [8, 9, 10, 11])
  assert.deepEqual([...ring.read(33, 100)], [33, 34])
  assert.equal(ring.read(35).length, 0)
})

test("what is long is kept in one piece", () => {
  const ring = filled(60 * SAMPLE_RATE, [25 * SAMPLE_RATE, 7])
  const position = 20 * SAMPLE_RATE - 2
  assert.deepEqual([...ring.read(position, 4)], [0, 1, 2, 3].map((i) => Int16Array.of(position + i)[0]))
})

test("when it is full it takes no more, and keeps what it has", () => {
  const ring = filled(16, [10])
  assert.ok(!ring.push(new Int16Array(10)))
  assert.deepEqual([ring.start, ring.end, ring.kept], [0, 10, 10])
  ring.forget(4)
  assert.ok(ring.push(new Int16Array(10)))
})

test("it tells before it is full", () => {
  assert.ok(!filled(10, [7]).isNearlyFull)
  assert.ok(filled(10, [8]).isNearlyFull)
})

test("an acknowledgement of the past or the future does no harm", () => {
  const ring = filled(16, [10])
  ring.forget(8)
  ring.forget(3)
  assert.equal(ring.start, 8)
  ring.forget(99)
  assert.deepEqual([ring.start, ring.end], [10, 10])
})

test("where the server goes on, what is kept goes on", () => {
  const ring = filled(16, [10])
  ring.goOnFrom(7)
  assert.deepEqual([ring.start, ring.end, ring.renumbered], [7, 10, 0])
})

test("the session's time jumps over what is gone, and it is counted", () => {
  const ring = filled(16, [8])
  ring.forget(6)
  ring.goOnFrom(2)
  assert.deepEqual([ring.start, ring.end, ring.dropped], [2, 4, 4])
  assert.deepEqual([...ring.read(2)], [6, 7])
})

test("what an earlier page left is followed by what this page records", () => {
  const ring = FrameRing.of([Int16Array.of(1, 2), Int16Array.of(3)], 40)
  ring.push(Int16Array.of(9))
  ring.goOnFrom(41)
  assert.deepEqual([ring.start, ring.end], [41, 44])
  assert.deepEqual([...ring.read(41)], [2, 3, 9])
})

test("what the server has beyond what an earlier page left does not stand for what this page records", () => {
  const ring = FrameRing.of([Int16Array.of(1, 2, 3)], 40)
  ring.push(Int16Array.of(7, 8, 9))
  ring.goOnFrom(45)
  assert.deepEqual([ring.start, ring.end, ring.dropped], [45, 48, 0])
  assert.deepEqual([...ring.read(45)], [7, 8, 9])
})

test("it keeps half an hour", () => {
  assert.equal(new FrameRing().room, 1800)
})

// Each sample's value is its position.
function filled(capacity, sizes) {
  const ring = new FrameRing(capacity)
  for (const size of sizes) ring.push(Int16Array.from({ length: size }, (_, i) => ring.end + i))
  return ring
}
