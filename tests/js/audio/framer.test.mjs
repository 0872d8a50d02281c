import assert from "node:assert/strict"
import { test } from "node:test"

import { Framer } from "../../../static/js/audio/framer.js"

test("blocks of any size become frames of equal size", () => {
  const frames = push(new Framer(1920), new Array(13).fill(441))
  assert.deepEqual(frames.map(({ samples }) => samples.length), [1920, 1920])
})

test("samples beyond full scale are clipped", () => {
  const framer = new Framer(4)
  let frame
  framer.push([2, -2, 0.5, 0], (full) => (frame = full))
  assert.deepEqual([...frame.samples], [32767, -32767, 16384, 0])
  assert.equal(frame.peak, 1)
})

test("each frame has its own level", () => {
  const framer = new Framer(2)
  const levels = []
  framer.push([0.5, -0.5, 0, 0], ({ rms, peak }) => levels.push([rms, peak]))
  assert.deepEqual(levels, [[0.5, 0.5], [0, 0]])
})

test("a partial frame can be flushed", () => {
  const framer = new Framer(1920)
  framer.push(new Float32Array(100), assert.fail)
  assert.equal(framer.flush().samples.length, 100)
  assert.equal(framer.flush().samples.length, 0)
})

function push(framer, sizes) {
  const frames = []
  for (const size of sizes) framer.push(new Float32Array(size), (frame) => frames.push(frame))
  return frames
}
