import assert from "node:assert/strict"
import { test } from "node:test"

import { SAMPLE_RATE } from "../../../static/js/audio/samples.js"
import { Playout, MIN_WAIT } from "../../../static/js/playback/playout.js"

const BLOCK = 128

function tone(length, hertz = 300, from = 0) {
  return Int16Array.from({ length }, (_, i) => Math.round(12000 * Math.sin((2 * Math.PI * hertz * (from + i)) / SAMPLE_RATE)))
}

// Renders until playback is over, or for a number of blocks; between(block) may push more.
function played(playout, blocks = Infinity, between = () => {}) {
  const out = []
  for (let block = 0; block < blocks && playout.state !== "over"; block++) {
    between(block)
    const part = new Float32Array(BLOCK)
    playout.render(part)
    out.push(...part)
  }
  return out
}

function steepest(samples) {
  let maximum = 0
  for (let i = 1; i < samples.length; i++) maximum = Math.max(maximum, Math.abs(samples[i] - samples[i - 1]))
  return maximum
}

const FADE = 0.005 * SAMPLE_RATE
const STEEP = steepest(Float32Array.from(tone(500), (value) => value / 32768)) * 1.15 + 1 / FADE / 2

test("pushed samples are played unchanged except for the fades at both ends", () => {
  const playout = new Playout(SAMPLE_RATE)
  const speech = tone(10_000)
  for (let at = 0; at < speech.length; at += 1920) playout.push(speech.subarray(at, at + 1920))
  playout.end()
  const out = played(playout)
  const inner = out.slice(FADE, speech.length - FADE).map((value) => value * 32768)
  assert.deepEqual(inner, [...speech.subarray(FADE, speech.length - FADE)])
  assert.equal(playout.played, speech.length)
  assert.ok(out.slice(speech.length).every((value) => value === 0))
})

test("playback starts once the minimum is buffered", () => {
  const playout = new Playout(SAMPLE_RATE)
  playout.push(tone(MIN_WAIT * SAMPLE_RATE - 1))
  played(playout, 3)
  assert.equal(playout.state, "waiting")
  playout.push(tone(1))
  played(playout, 1)
  assert.equal(playout.state, "playing")
})

test("less than the minimum is played when the audio has ended", () => {
  const playout = new Playout(SAMPLE_RATE)
  playout.push(tone(200))
  playout.end()
  assert.ok(played(playout).some((value) => value !== 0))
  assert.equal(playout.state, "over")
})

test("starts, stops and underruns do not click", () => {
  for (const rate of [SAMPLE_RATE, 44100, 48000]) {
    const loudest = Int16Array.from({ length: 4800 }, (_, i) => Math.min(16000, 40 * i)) // an abrupt end would click
    const playout = new Playout(rate)
    playout.push(loudest)
    const interrupted = played(playout, 200, (block) => block === 120 && playout.push(loudest.fill(16000)))
    assert.ok(playout.underruns >= 1)
    assert.ok(steepest(interrupted) < 0.02, `${rate}: ${steepest(interrupted)}`)

    const stopped = new Playout(rate)
    stopped.push(tone(48_000))
    const out = played(stopped, 60, (block) => block === 30 && stopped.stop())
    assert.ok(steepest(out) < STEEP)
    assert.equal(stopped.state, "over")
  }
})

test("stopping fades out within five milliseconds", () => {
  const playout = new Playout(48_000)
  playout.push(tone(48_000))
  played(playout, 20)
  playout.stop()
  const out = played(playout)
  assert.ok(out.length <= 0.005 * 48_000 + BLOCK)
  assert.equal(Math.abs(out.at(-1)), 0)
})

test("an underrun doubles the buffer and loses no sample", () => {
  const playout = new Playout(SAMPLE_RATE)
  const speech = tone(14_400)
  playout.push(speech.subarray(0, 4800))
  const out = played(playout, 60)
  assert.deepEqual([playout.state, playout.underruns, playout.wait], ["waiting", 1, 2 * MIN_WAIT])
  playout.push(speech.subarray(4800, 4800 + 4700))
  played(playout, 1)
  assert.equal(playout.state, "waiting")
  playout.push(speech.subarray(9500))
  playout.end()
  const all = [...out, ...played(playout)].filter((value) => value !== 0)
  assert.ok(Math.abs(all.length - speech.filter((value) => value !== 0).length) < 10)
  assert.equal(playout.played, speech.length)
})

test("the duration is the same at another rate", () => {
  const playout = new Playout(44_100)
  playout.push(tone(SAMPLE_RATE))
  playout.end()
  const out = played(playout)
  assert.ok(Math.abs(out.length - 44_100) < 2 * BLOCK)
  assert.equal(playout.played, SAMPLE_RATE)
})

test("a pause fades out within five milliseconds, and nothing is lost", () => {
  for (const rate of [SAMPLE_RATE, 48_000]) {
    const playout = new Playout(rate)
    playout.push(tone(SAMPLE_RATE))
    playout.end()
    const before = played(playout, 20)
    playout.pause()
    const paused = played(playout, 40)
    assert.equal(playout.state, "paused")
    const loud = paused.findLastIndex((value) => value !== 0)
    assert.ok(loud < 0.005 * rate)
    const at = playout.played
    playout.resume()
    const after = played(playout)
    assert.ok(steepest([...before, ...paused, ...after]) < STEEP)
    assert.equal(playout.played, SAMPLE_RATE)
    const silence = paused.length - loud - 1
    assert.ok(Math.abs(before.length + paused.length + after.length - silence - rate) < 2 * BLOCK, `${rate}`)
    assert.ok(at > 0)
  }
})

test("a pause before the start or during a fade keeps everything", () => {
  const playout = new Playout(SAMPLE_RATE)
  playout.pause()
  playout.push(tone(4800))
  playout.end()
  assert.ok(played(playout, 20).every((value) => value === 0))
  playout.resume()
  played(playout, 2)
  playout.pause()
  playout.resume()
  played(playout)
  assert.equal(playout.played, 4800)
})

test("a paused reply can be stopped", () => {
  const playout = new Playout(SAMPLE_RATE)
  playout.push(tone(4800))
  played(playout, 5)
  playout.pause()
  played(playout, 5)
  playout.stop()
  assert.equal(playout.state, "over")
})
