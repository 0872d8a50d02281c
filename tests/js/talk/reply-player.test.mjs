import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { ReplyPlayer } from "../../../static/js/talk/reply-player.js"
import { FakeOutput } from "./fake-output.mjs"

const SECOND = 24000
let output, player, progress, now

beforeEach(() => {
  now = 0
  output = new FakeOutput()
  player = new ReplyPlayer(output, () => now)
  progress = []
  player.addEventListener("progress", ({ detail }) => progress.push([detail.reply, detail.sample]))
})

test("a reply is played while it arrives", () => {
  player.start(1)
  const audio = new Int16Array(SECOND)
  player.push(audio)
  player.end()
  assert.deepEqual(output.node.posted, [audio, "end"])
  output.node.report("playing", 0)
  assert.equal(player.isAudible, false)
  output.node.report("playing", 960)
  assert.equal(player.isAudible, true)
  output.node.report("over", SECOND)
  assert.deepEqual(progress, [[1, 0], [1, 960], [1, SECOND]])
  assert.deepEqual([player.isActive, player.isComplete, player.played], [false, true, SECOND])
})

test("the position is that of the loudspeaker", () => {
  output.latency = 0.1
  player.start(1)
  output.node.report("playing", 1200)
  assert.equal(player.played, 0)
  output.node.report("playing", 4800)
  assert.equal(player.played, 2400)
})

test("the first audio is audible when it leaves the loudspeaker", () => {
  output.latency = 0.1
  const times = []
  player.addEventListener("audible", ({ detail }) => times.push(detail.at))
  player.start(1)
  now = 5000
  output.node.report("playing", 0.04 * SECOND)
  now = 5040
  output.node.report("playing", 0.08 * SECOND)
  assert.deepEqual(times, [5060])
})

test("a pause silences the reply and keeps it", () => {
  player.start(1)
  player.resume()
  player.pause()
  player.pause()
  player.push(new Int16Array(10))
  player.resume()
  assert.deepEqual(output.node.posted.filter((message) => typeof message === "string"), ["pause", "resume"])
  assert.ok(player.isActive)
})

test("a stopped reply drops the audio that is still on its way", () => {
  player.start(1)
  output.node.report("playing", 960)
  player.stop()
  const { node } = output
  player.push(new Int16Array(10))
  node.report("over", 2000)
  assert.deepEqual(node.posted, ["stop"])
  assert.deepEqual([player.isActive, player.isComplete], [false, false])
  assert.deepEqual(progress, [[1, 960], [1, 960]])
  assert.deepEqual(player.position, { reply: 1, sample: 960 })
})

test("a new reply takes the place of the old one, with the buffer that the network needs", () => {
  player.start(1)
  output.node.report("waiting", 0, 0.4)
  player.start(2)
  assert.deepEqual(output.nodes[0].posted, ["stop"])
  assert.deepEqual([output.node.wait, player.reply, player.played], [0.4, 2, 0])
})

test("the level is that of the audio that is played", () => {
  player.start(1)
  player.push(new Int16Array(1920).fill(16384))
  player.push(new Int16Array(1920))
  assert.equal(player.level, 0)
  output.node.report("playing", 100)
  assert.equal(player.level, 0.5)
  output.node.report("playing", 2000)
  assert.equal(player.level, 0)
})
