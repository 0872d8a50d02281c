import assert from "node:assert/strict"
import { test } from "node:test"

import { Downmix } from "../../../static/js/audio/downmix.js"

const RATE = 48_000
const BLOCK = 128
const tone = (frequency, seconds = 1) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => 0.3 * Math.sin((2 * Math.PI * frequency * i) / RATE))
const inverse = (samples) => samples.map((value) => -value)
const joined = (...parts) => Float32Array.from(parts.flatMap((part) => [...part]))
const rms = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)
const SPEECH = tone(300)
const OTHER = tone(437)
const SILENCE = new Float32Array(RATE)

function mixed(...channels) {
  const downmix = new Downmix(RATE)
  const output = []
  for (let i = 0; i + BLOCK <= channels[0].length; i += BLOCK) {
    output.push(...downmix.process(channels.map((channel) => channel.subarray(i, i + BLOCK))))
  }
  return Float32Array.from(output)
}

test("opposite channels do not cancel, from the first word on", () => {
  const output = mixed(SPEECH, inverse(SPEECH))
  for (let i = 0; i < 10; i++) {
    const tenth = output.subarray(i * 4800, (i + 1) * 4800)
    assert.ok(rms(tenth) > 0.9 * rms(SPEECH), `${i}: ${rms(tenth)}`)
  }
})

test("the louder of two opposite channels is taken", () => {
  const quieter = inverse(SPEECH).map((value) => 0.6 * value)
  const output = mixed(quieter, SPEECH).subarray(RATE / 10)
  assert.ok(Math.abs(rms(output) - rms(SPEECH)) < 0.01)
})

test("after a pause with noise the first syllable is there", () => {
  const noise = (seed) => Float32Array.from({ length: RATE }, (_, i) => 0.001 * Math.sin(seed * (i + 1) ** 2))
  const output = mixed(joined(SPEECH, noise(1.1), SPEECH), joined(inverse(SPEECH), noise(1.7), inverse(SPEECH)))
  const syllable = output.subarray(2 * RATE, 2 * RATE + RATE / 20)
  assert.ok(rms(syllable) > 0.8 * rms(SPEECH.subarray(0, RATE / 20)))
})

test("other channels are mixed equally", () => {
  for (const right of [SPEECH, SILENCE, OTHER]) {
    const output = mixed(SPEECH, right)
    const expected = SPEECH.map((value, i) => (value + right[i]) / 2)
    assert.ok(output.every((value, i) => Math.abs(value - expected[i]) < 1e-6))
  }
})

test("one channel passes unchanged, and several are averaged", () => {
  assert.deepEqual(mixed(SPEECH), SPEECH.subarray(0, Math.floor(RATE / BLOCK) * BLOCK))
  const output = mixed(SPEECH, SPEECH, SILENCE)
  assert.ok(output.every((value, i) => Math.abs(value - (2 * SPEECH[i]) / 3) < 1e-6))
})

test("a change of phase makes no click", () => {
  const left = tone(300, 4)
  const right = left.map((value, i) => (Math.floor(i / RATE) % 2 ? -value : value))
  const output = mixed(left, right)
  const step = (samples) => samples.reduce((max, value, i) => Math.max(max, i ? Math.abs(value - samples[i - 1]) : 0), 0)
  assert.ok(step(output) < 1.2 * step(left))
})
