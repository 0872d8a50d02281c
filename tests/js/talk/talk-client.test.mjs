import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { FrameRing } from "../../../static/js/audio/frame-ring.js"
import { TalkClient } from "../../../static/js/talk/talk-client.js"
import { FakeSocket } from "../fake-socket.mjs"

const FRAME = 1920
let client, ring, now, unsaved

beforeEach(() => {
  FakeSocket.all = []
  now = 0
  unsaved = null
  ring = new FrameRing()
  client = new TalkClient({
    ring,
    unsaved: () => unsaved,
    requestTicket: async () => "t",
    socketUrl: () => "ws://site/ws/talk/",
    options: { voice: "alba", model: "demo", wait: false },
    WebSocket: FakeSocket,
    now: () => now,
    random: () => 1,
  })
})

afterEach(() => client.close())

test("the start message has the options and, after a lost connection, the replies that may not be saved", async () => {
  await live()
  const start = { type: "start", voice: "alba", model: "demo", wait: false, unsaved: null, session: null }
  assert.deepEqual(FakeSocket.newest.texts[0], start)
  unsaved = [{ is_complete: true, words: [["Paris.", 1, 2]] }]
  FakeSocket.newest.closeWith(1006)
  assert.equal(client.state, "reconnecting")
  await later(1_000)
  FakeSocket.newest.accept()
  assert.deepEqual(FakeSocket.newest.texts[0], { ...start, wait: true, unsaved, session: "abc" })
})

test("the reply's audio and the messages of a conversation are emitted", async () => {
  const events = []
  client.addEventListener("audio", ({ detail }) => events.push([...detail]))
  client.addEventListener("message", ({ detail }) => events.push(detail.type))
  await live()
  FakeSocket.newest.receive("reply_started", { reply: 1 })
  FakeSocket.newest.onmessage({ data: Int16Array.of(1, -2).buffer })
  FakeSocket.newest.receive("step", { sample: 0, speech: 0 })
  assert.deepEqual(events, ["reply_started", [1, -2]])
})

test("commands are sent while the server receives audio", async () => {
  assert.equal(client.sendText("Hello."), false)
  await live()
  assert.equal(client.sendText("Hello."), true)
  client.reportPlayed({ reply: 1, sample: 480, at: 9600 })
  client.interrupt()
  client.release()
  assert.deepEqual(FakeSocket.newest.texts.slice(1), [
    { type: "text", text: "Hello." },
    { type: "played", reply: 1, sample: 480, at: 9600 },
    { type: "interrupt" },
    { type: "release" },
  ])
  FakeSocket.newest.closeWith(1006)
  assert.equal(client.interrupt(), false)
})

test("the audio never pauses", async () => {
  await live()
  client.pause()
  ring.push(new Int16Array(FRAME))
  client.resume()
  assert.deepEqual([client.state, FakeSocket.newest.samplesSent], ["live", FRAME])
  assert.ok(FakeSocket.newest.texts.every(({ type }) => type !== "pause"))
})

test("a conversation that is continued connects for the first time", async () => {
  client.session = "earlier"
  await client.open()
  assert.equal(client.state, "connecting")
  FakeSocket.newest.accept()
  assert.equal(FakeSocket.newest.texts[0].session, "earlier")
})

async function live() {
  await client.open()
  FakeSocket.newest.accept()
  FakeSocket.newest.receive("ready", { session: "abc", position: 0, words: 0, engine: "small", language: "en" })
}

async function later(ms) {
  now += ms
  client.pump()
  await new Promise((resolve) => setImmediate(resolve))
}
