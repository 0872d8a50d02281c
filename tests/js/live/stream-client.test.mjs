import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { FrameRing } from "../../../static/js/audio/frame-ring.js"
import { Failure } from "../../../static/js/web/failure.js"
import { StreamClient } from "../../../static/js/live/stream-client.js"
import { FakeSocket } from "../fake-socket.mjs"

const FRAME = 1920
const SECOND = 24000
let client, ring, events, now, requestTicket

beforeEach(() => {
  FakeSocket.all = []
  now = 0
  events = []
  requestTicket = async () => `t${FakeSocket.all.length}`
  ring = new FrameRing(60 * SECOND)
  client = new StreamClient({
    ring,
    requestTicket: () => requestTicket(),
    socketUrl: (ticket) => `ws://site/live/?ticket=${ticket}`,
    options: { engine: "small", language: "en", wait: false },
    WebSocket: FakeSocket,
    now: () => now,
    random: () => 1,
  })
  for (const name of ["ready", "word", "done", "failed", "round-trip"]) {
    client.addEventListener(name, ({ detail }) => events.push([name, detail]))
  }
})

afterEach(() => client.close())

test("start is sent first, and audio waits for ready", async () => {
  record(3)
  await connected()
  assert.equal(FakeSocket.newest.url, "ws://site/live/?ticket=t0")
  assert.deepEqual(FakeSocket.newest.texts, [
    { type: "start", engine: "small", language: "en", wait: false, session: null },
  ])
  client.pump()
  assert.equal(FakeSocket.newest.samplesSent, 0)
  ready()
  assert.deepEqual(FakeSocket.newest.audio.map(({ length }) => length), [FRAME, FRAME, FRAME])
})

test("acknowledged audio is discarded", async () => {
  record(3)
  await live()
  FakeSocket.newest.receive("ack", { sample: 2 * FRAME })
  assert.equal(ring.start, 2 * FRAME)
})

test("a full socket buffer holds back audio", async () => {
  await live()
  FakeSocket.newest.bufferedAmount = 300 * 1024
  record(2)
  assert.equal(FakeSocket.newest.samplesSent, 0)
  FakeSocket.newest.bufferedAmount = 0
  client.pump()
  assert.equal(FakeSocket.newest.samplesSent, 2 * FRAME)
})

test("a backlog is sent no faster than it is processed", async () => {
  record(250)
  await live()
  assert.equal(FakeSocket.newest.samplesSent, 10 * SECOND)
  FakeSocket.newest.receive("step", { sample: 4 * SECOND, speech: 1 })
  assert.equal(FakeSocket.newest.samplesSent, 14 * SECOND)
})

test("after a lost connection everything after the saved words is sent again", async () => {
  record(5)
  await live()
  FakeSocket.newest.receive("ack", { sample: 2 * FRAME })
  FakeSocket.newest.closeWith(1006)
  assert.equal(client.state, "reconnecting")
  record(1)
  await reconnected()
  assert.deepEqual(FakeSocket.newest.texts[0], {
    type: "start", engine: "small", language: "en", wait: true, session: "abc",
  })
  ready({ position: 2 * FRAME, words: 7 })
  assert.equal(FakeSocket.newest.samplesSent, 4 * FRAME)
  assert.deepEqual(events.at(-1), ["ready", { words: 7, engine: "small", language: "en", audio: false }])
})

test("retries back off", async () => {
  await live()
  const delays = []
  for (let attempt = 0; attempt < 8; attempt++) {
    FakeSocket.newest.closeWith(attempt ? 1006 : 4010)
    const since = now
    const sockets = FakeSocket.all.length
    for (await later(0); FakeSocket.all.length === sockets; ) await later(500)
    delays.push(now - since)
  }
  assert.deepEqual(delays, [0, 500, 1000, 2000, 4000, 8000, 15000, 15000])
})

test("retryNow reconnects immediately", async () => {
  await live()
  FakeSocket.newest.closeWith(1001)
  await client.retryNow()
  assert.equal(FakeSocket.all.length, 2)
})

test("an unreachable site is retried", async () => {
  requestTicket = async () => {
    throw new TypeError("Failed to fetch")
  }
  await client.open()
  assert.equal(client.state, "reconnecting")
  requestTicket = async () => "later"
  await later(500)
  assert.equal(FakeSocket.all.length, 1)
})

test("a probed connection must answer soon", async () => {
  await live()
  client.probe()
  assert.ok(hasSent("ping"))
  await later(2_000)
  assert.equal(client.state, "live")
  await later(1_000)
  assert.equal(client.state, "reconnecting")
})

test("a session that the server does not have restarts with all of its audio", async () => {
  await live()
  record(3)
  FakeSocket.newest.closeWith(1006)
  await reconnected()
  FakeSocket.newest.closeWith(4013)
  await settled()
  FakeSocket.newest.accept()
  assert.equal(FakeSocket.newest.texts[0].session, null)
  ready({ session: "new" })
  assert.equal(FakeSocket.newest.samplesSent, 3 * FRAME)
})

test("a wrong ticket is requested again once, then it is a failure", async () => {
  await connected()
  FakeSocket.newest.closeWith(4001)
  await settled()
  assert.equal(FakeSocket.all.length, 2)
  FakeSocket.newest.closeWith(4001)
  assert.equal(events.at(-1)[1].kind, "ticket")
})

test("a stream that ended with a new password or a logout continues with another ticket", async () => {
  await live()
  record(3)
  FakeSocket.newest.closeWith(4001)
  await reconnected()
  assert.equal(FakeSocket.newest.texts[0].session, "abc")
})

test("a stream that ended in a browser that was logged out is a failure", async () => {
  await live()
  requestTicket = async () => {
    throw new Failure("loggedOut")
  }
  FakeSocket.newest.closeWith(4001)
  await later(1000)
  assert.equal(client.state, "failed")
  assert.equal(events.at(-1)[1].kind, "loggedOut")
})

test("a rejected ticket request is a failure", async () => {
  requestTicket = async () => {
    throw new Failure("notApproved")
  }
  await client.open()
  assert.equal(client.state, "failed")
  assert.equal(events.at(-1)[1].kind, "notApproved")
})

test("a running session waits where it may not connect yet", async () => {
  await live()
  FakeSocket.newest.closeWith(1006)
  requestTicket = async () => {
    throw new Failure("rateLimited")
  }
  await later(1_000)
  assert.equal(client.state, "reconnecting")
  requestTicket = async () => "later"
  await reconnected()
  FakeSocket.newest.closeWith(4000)
  assert.equal(client.state, "reconnecting")
  await reconnected()
  FakeSocket.newest.closeWith(4004)
  assert.deepEqual([client.state, events.at(-1)[1].kind], ["failed", "rateLimited"])
})

for (const [code, kind] of [
  [4000, "full"], [4003, "notApproved"], [4004, "rateLimited"], [4008, "protocol"], [1009, "protocol"],
  [4011, "engineDown"], [4012, "movedOn"],
]) {
  test(`close code ${code} is the failure "${kind}"`, async () => {
    await connected()
    FakeSocket.newest.closeWith(code)
    assert.deepEqual([client.state, events.at(-1)[1].kind], ["failed", kind])
  })
}

test("the server's error message explains the failure", async () => {
  await connected()
  FakeSocket.newest.receive("error", { code: 4003, what: "No.", why: "Rejected: spam.", action: "Ask." })
  FakeSocket.newest.closeWith(4003)
  const { what, why, action } = events.at(-1)[1]
  assert.deepEqual([what, why, action], ["No.", "Rejected: spam.", "Ask."])
})

test("after a failure the session continues with the rest of the ring", async () => {
  await live()
  record(2)
  FakeSocket.newest.closeWith(4011)
  await connected()
  assert.equal(FakeSocket.newest.texts[0].session, "abc")
  ready()
  assert.equal(FakeSocket.newest.samplesSent, 2 * FRAME)
})

test("the queue position is reported", async () => {
  await connected()
  FakeSocket.newest.receive("queued", { queue_position: 3 })
  assert.deepEqual([client.state, client.queuePosition], ["queued", 3])
  FakeSocket.newest.receive("queued", { queue_position: 2 })
  assert.equal(client.queuePosition, 2)
  ready()
  assert.deepEqual([client.state, client.queuePosition], ["live", null])
})

test("pausing waits until everything recorded is sent", async () => {
  await live()
  FakeSocket.newest.bufferedAmount = 300 * 1024
  record(1)
  client.pause()
  assert.ok(!hasSent("pause"))
  FakeSocket.newest.bufferedAmount = 0
  client.pump()
  assert.ok(hasSent("pause"))
  FakeSocket.newest.receive("paused")
  assert.equal(client.state, "paused")
})

test("resuming before the pause is confirmed is not lost", async () => {
  await live()
  client.pause()
  client.resume()
  record(1)
  assert.equal(FakeSocket.newest.samplesSent, 0)
  FakeSocket.newest.receive("paused")
  assert.ok(hasSent("resume"))
  ready({ position: 0 })
  assert.equal(FakeSocket.newest.samplesSent, FRAME)
})

test("a paused session reconnects only when it resumes", async () => {
  await live()
  client.pause()
  FakeSocket.newest.receive("paused")
  FakeSocket.newest.closeWith(1006)
  await later(60_000)
  assert.deepEqual([client.state, FakeSocket.all.length], ["paused", 1])
  client.resume()
  await settled()
  assert.equal(FakeSocket.all.length, 2)
})

test("stopping waits for done", async () => {
  await live()
  client.stop()
  assert.ok(hasSent("stop"))
  FakeSocket.newest.receive("done", { session: "abc", words: 4 })
  assert.deepEqual(events.at(-1), ["done", { session: "abc", words: 4 }])
  assert.equal(client.state, "done")
})

test("a stop survives a lost socket", async () => {
  await live()
  record(2)
  FakeSocket.newest.closeWith(1006)
  client.stop()
  await reconnected()
  ready({ position: FRAME })
  assert.equal(FakeSocket.newest.samplesSent, FRAME)
  assert.ok(hasSent("stop"))
})

test("an unanswered ping means a dead connection", async () => {
  await live()
  await later(5_000)
  assert.ok(hasSent("ping"))
  now += 20
  FakeSocket.newest.receive("pong", { at: 5_000 })
  assert.deepEqual(events.at(-1), ["round-trip", 20])
  await later(5_000)
  await later(13_000)
  assert.equal(client.state, "reconnecting")
})

test("a hidden tab's late timer does not mean a dead connection", async () => {
  await live()
  await later(60_000)
  assert.equal(client.state, "live")
})

test("a lost engine shows as interrupted while audio is still sent", async () => {
  await live()
  FakeSocket.newest.receive("interrupted", { words: 0, message: "" })
  assert.equal(client.state, "interrupted")
  record(1)
  assert.equal(FakeSocket.newest.samplesSent, FRAME)
  FakeSocket.newest.receive("step", { sample: FRAME, speech: 0 })
  assert.equal(client.state, "live")
})

test("a ticket that arrives after close opens no socket", async () => {
  let resolveTicket
  requestTicket = () => new Promise((resolve) => (resolveTicket = resolve))
  const opening = client.open()
  client.close()
  resolveTicket("late")
  await opening
  assert.equal(FakeSocket.all.length, 0)
})

async function connected() {
  await client.open()
  FakeSocket.newest.accept()
}

async function live() {
  await connected()
  ready()
}

async function reconnected() {
  await later(1_000)
  FakeSocket.newest.accept()
}

function ready(fields) {
  const message = { session: "abc", position: 0, words: 0, engine: "small", language: "en", ...fields }
  FakeSocket.newest.receive("ready", message)
}

function record(frames) {
  for (let i = 0; i < frames; i++) {
    ring.push(new Int16Array(FRAME))
    client.pump()
  }
}

async function later(ms) {
  now += ms
  client.pump()
  await settled()
}

function settled() {
  return new Promise((resolve) => setImmediate(resolve))
}

function hasSent(type) {
  return FakeSocket.newest.texts.some((text) => text.type === type)
}
