import assert from "node:assert/strict"
import { test } from "node:test"

import { TurnLatency } from "../../../static/js/talk/turn-latency.js"

const measured = (reply) => ({ reply, endpoint: 0.4, model: 0.1, synthesis: 0.2, total: 0.6 })

test("the wait is from the end of the sentence to the loudspeaker, whatever arrives first", () => {
  const latency = new TurnLatency()
  latency.turnEnded(1000)
  latency.replyStarted(1)
  latency.audible(1, 1750)
  assert.equal(latency.last, null)
  latency.measured(measured(1))
  latency.turnEnded(5000)
  latency.replyStarted(2)
  latency.measured(measured(2))
  latency.audible(2, 6250)
  assert.equal(latency.turns[0].total, 0.75)
  assert.deepEqual(
    Object.entries(latency.turns[0].parts).map(([name, seconds]) => [name, Number(seconds.toFixed(3))]),
    [["transcription", 0.4], ["model", 0.1], ["synthesis", 0.2], ["network", 0.15]],
  )
  assert.deepEqual([latency.last.reply, latency.mean], [2, 1])
})

test("typed turns, announcements and replies that were cut early are not counted", () => {
  const latency = new TurnLatency()
  latency.turnEnded(null)
  latency.replyStarted(1)
  latency.measured(measured(1))
  latency.audible(1, 500)
  latency.replyStarted(2)
  latency.measured(measured(2))
  latency.audible(2, 900)
  latency.turnEnded(1000)
  latency.replyStarted(3)
  latency.measured(measured(3))
  latency.turnEnded(2000)
  latency.replyStarted(4)
  latency.audible(3, 2100)
  assert.deepEqual([latency.turns, latency.mean], [[], null])
})
