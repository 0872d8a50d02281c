import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { FrameRing } from "../../../static/js/audio/frame-ring.js"
import { Failure } from "../../../static/js/web/failure.js"
import { StreamClient } from "../../../static/js/live/stream-client.js"
import { FakeSocket } from "../fake-socket.mjs"

const FRAME = 1920
const SECOND = 24000
let client, ring, told, now, askTicket

beforeEach(() => {
  FakeSocket.all = []
  now = 0
  told = []
  askTicket = async () => `t${FakeSocket.all.length}`
  ring = new FrameRing(60 * SECOND)
  client = new StreamClient({
    ring,
    askTicket: () => askTicket(),
    socketUrl: (ticket) => `ws://site/live/?ticket=${ticket}`,
    options: { engine: "small", language: "en", wait: false },
    WebSocket: FakeSocket,
    now: () => now,
    random: () => 1,
  })
  for (const name of ["ready", "word", "done", "failed", "round-trip"]) {
    client.addEventListener(name, ({ detail }) => told.push([name, detail]))
  }
})

afterEach(() => client.close())

test("start is the first thing said, and audio waits for ready", async () => {
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

test("what was acknowledged is forgotten", async () => {
  record(3)
  await live()
  FakeSocket.newest.tell("ack", { sample: 2 * FRAME })
  assert.equal(ring.start, 2 * FRAME)
})

test("a full socket buffer holds the audio back", async () => {
  await live()
  FakeSocket.newest.bufferedAmount = 300 * 1024
  record(2)
  assert.equal(FakeSocket.newest.samplesSent, 0)
  FakeSocket.newest.bufferedAmount = 0
  client.pump()
  assert.equal(FakeSocket.newest.samplesSent, 2 * FRAME)
})

test("a backlog goes out no faster than it is heard", async () => {
  record(250)
  await live()
  assert.equal(FakeSocket.newest.samplesSent, 10 * SECOND)
  FakeSocket.newest.tell("step", { sample: 4 * SECOND, speech: 1 })
  assert.equal(FakeSocket.newest.samplesSent, 14 * SECOND)
})

test("a lost socket is replaced, and everything after the stored words is sent again", async () => {
  record(5)
  await live()
  FakeSocket.newest.tell("ack", { sample: 2 * FRAME })
  FakeSocket.newest.closeWith(1006)
  assert.equal(client.state, "reconnecting")
  record(1)
  await reconnected()
  assert.deepEqual(FakeSocket.newest.texts[0], {
    type: "start", engine: "small", language: "en", wait: true, session: "abc",
  })
  ready({ position: 2 * FRAME, words: 7 })
  assert.equal(FakeSocket.newest.samplesSent, 4 * FRAME)
  assert.deepEqual(told.at(-1), ["ready", { words: 7, engine: "small", language: "en", audio: false }])
})

test("attempts come ever later", async () => {
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

test("a network that is back is tried at once", async () => {
  await live()
  FakeSocket.newest.closeWith(1001)
  await client.retryNow()
  assert.equal(FakeSocket.all.length, 2)
})

test("a site that cannot be reached is tried again", async () => {
  askTicket = async () => {
    throw new TypeError("Failed to fetch")
  }
  await client.open()
  assert.equal(client.state, "reconnecting")
  askTicket = async () => "later"
  await later(500)
  assert.equal(FakeSocket.all.length, 1)
})

test("a connection that is doubted has to prove itself soon", async () => {
  await live()
  client.doubt()
  assert.ok(said("ping"))
  await later(2_000)
  assert.equal(client.state, "live")
  await later(1_000)
  assert.equal(client.state, "reconnecting")
})

test("a session of which the server kept nothing is begun anew with all that was said", async () => {
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

test("a wrong ticket is asked for again once, then it is a failure", async () => {
  await connected()
  FakeSocket.newest.closeWith(4001)
  await settled()
  assert.equal(FakeSocket.all.length, 2)
  FakeSocket.newest.closeWith(4001)
  assert.equal(told.at(-1)[1].kind, "ticket")
})

test("a ticket that is refused is a failure", async () => {
  askTicket = async () => {
    throw new Failure("notApproved")
  }
  await client.open()
  assert.equal(client.state, "failed")
  assert.equal(told.at(-1)[1].kind, "notApproved")
})

for (const [code, kind] of [
  [4000, "full"], [4003, "notApproved"], [4004, "rateLimited"], [4008, "protocol"], [1009, "protocol"],
  [4011, "engineDown"], [4012, "movedOn"],
]) {
  test(`close code ${code} is the failure "${kind}"`, async () => {
    await connected()
    FakeSocket.newest.closeWith(code)
    assert.deepEqual([client.state, told.at(-1)[1].kind], ["failed", kind])
  })
}

test("the server's own words explain the failure", async () => {
  await connected()
  FakeSocket.newest.tell("error", { code: 4003, what: "No.", why: "Rejected: spam.", action: "Ask." })
  FakeSocket.newest.closeWith(4003)
  const { what, why, action } = told.at(-1)[1]
  assert.deepEqual([what, why, action], ["No.", "Rejected: spam.", "Ask."])
})

test("after a failure the session goes on with what is kept", async () => {
  await live()
  record(2)
  FakeSocket.newest.closeWith(4011)
  await connected()
  assert.equal(FakeSocket.newest.texts[0].session, "abc")
  ready()
  assert.equal(FakeSocket.newest.samplesSent, 2 * FRAME)
})

test("the place in the queue is told", async () => {
  await connected()
  FakeSocket.newest.tell("queued", { queue_position: 3 })
  assert.deepEqual([client.state, client.queuePosition], ["queued", 3])
  FakeSocket.newest.tell("queued", { queue_position: 2 })
  assert.equal(client.queuePosition, 2)
  ready()
  assert.deepEqual([client.state, client.queuePosition], ["live", null])
})

test("pausing waits until everything recorded is sent", async () => {
  await live()
  FakeSocket.newest.bufferedAmount = 300 * 1024
  record(1)
  client.pause()
  assert.ok(!said("pause"))
  FakeSocket.newest.bufferedAmount = 0
  client.pump()
  assert.ok(said("pause"))
  FakeSocket.newest.tell("paused")
  assert.equal(client.state, "paused")
})

test("resuming before the pause is answered is not lost", async () => {
  await live()
  client.pause()
  client.resume()
  record(1)
  assert.equal(FakeSocket.newest.samplesSent, 0)
  FakeSocket.newest.tell("paused")
  assert.ok(said("resume"))
  ready({ position: 0 })
  assert.equal(FakeSocket.newest.samplesSent, FRAME)
})

test("a paused session comes back only when it is needed", async () => {
  await live()
  client.pause()
  FakeSocket.newest.tell("paused")
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
  assert.ok(said("stop"))
  FakeSocket.newest.tell("done", { session: "abc", words: 4 })
  assert.deepEqual(told.at(-1), ["done", { session: "abc", words: 4 }])
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
  assert.ok(said("stop"))
})

test("an unanswered ping means a dead connection", async () => {
  await live()
  await later(5_000)
  assert.ok(said("ping"))
  now += 20
  FakeSocket.newest.tell("pong", { at: 5_000 })
  assert.deepEqual(told.at(-1), ["round-trip", 20])
  await later(5_000)
  await later(13_000)
  assert.equal(client.state, "reconnecting")
})

test("a hidden tab's late timer is no dead connection", async () => {
  await live()
  await later(60_000)
  assert.equal(client.state, "live")
})

test("an engine that is lost and found shows, and audio goes on", async () => {
  await live()
  FakeSocket.newest.tell("interrupted", { words: 0, message: "" })
  assert.equal(client.state, "interrupted")
  record(1)
  assert.equal(FakeSocket.newest.samplesSent, FRAME)
  FakeSocket.newest.tell("step", { sample: FRAME, speech: 0 })
  assert.equal(client.state, "live")
})

test("an answer that comes after leaving opens nothing", async () => {
  let answer
  askTicket = () => new Promise((resolve) => (answer = resolve))
  const opening = client.open()
  client.close()
  answer("late")
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
  FakeSocket.newest.tell("ready", message)
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

function said(type) {
  return FakeSocket.newest.texts.some((text) => text.type === type)
}
