import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { Failure } from "../../../static/js/web/failure.js"
import { SpeechClient } from "../../../static/js/voices/speech-client.js"
import { Clip } from "../../../static/js/voices/clip.js"
import { FakeSocket } from "../fake-socket.mjs"

let time = 0

beforeEach(() => {
  FakeSocket.all.length = 0
  time = 1000
  mock.timers.enable({ apis: ["setInterval"] })
})

afterEach(() => mock.timers.reset())

async function speaking(text = "Hello there.", parts = {}) {
  const clip = new Clip({ text, speaker: { engine: "piper", voice: "slt", label: "SLT" }, controls: { speed: 1.2 } })
  const client = new SpeechClient({
    clip,
    requestTicket: async () => "ticket",
    socketUrl: (ticket) => `wss://site/?ticket=${ticket}`,
    WebSocket: FakeSocket,
    now: () => time,
    ...parts,
  })
  await client.speak()
  FakeSocket.newest?.accept()
  return { clip, client, socket: FakeSocket.newest }
}

function frame(value = 100, samples = 1920) {
  return { data: new Int16Array(samples).fill(value).buffer }
}

test("the voice, the text and the end of the text are sent", async () => {
  const { socket } = await speaking()
  assert.deepEqual(socket.texts, [
    { type: "start", engine: "piper", voice: "slt", controls: { speed: 1.2 }, wait: true },
    { type: "text", text: "Hello there." },
    { type: "finish" },
  ])
})

test("a long text is split without splitting a character", async () => {
  const text = "😀a".repeat(9000)
  const { socket } = await speaking(text)
  const texts = socket.texts.filter(({ type }) => type === "text").map((message) => message.text)
  assert.equal(texts.join(""), text)
  assert.ok(texts.length > 1)
  assert.ok(texts.every((text) => text.isWellFormed()))
})

test("audio and words fill the clip and its statistics", async () => {
  const { clip, socket } = await speaking()
  time = 1250
  socket.receive("spoken_word", { text: "Hello", at: 0, start: 0, end: 0.4 })
  socket.onmessage(frame())
  time = 1500
  socket.onmessage(frame())
  socket.receive("synthesis_done", { samples: 3840, words: 1 })
  socket.closeWith(1000)
  assert.equal(clip.state, "done")
  assert.equal(clip.samples, 3840)
  assert.equal(clip.firstAudioAfter, 0.25)
  assert.ok(Math.abs(clip.realTimeFactor() - 0.5 / 0.16) < 1e-9)
  assert.equal(clip.wordAt(0), 0)
})

test("received audio is acknowledged at intervals", async () => {
  const { socket } = await speaking()
  for (let i = 0; i < 14; i++) socket.onmessage(frame())
  const acknowledged = socket.texts.filter(({ type }) => type === "ack").map(({ sample }) => sample)
  assert.deepEqual(acknowledged, [7 * 1920, 14 * 1920])
})

test("stopping takes effect immediately, and later audio is dropped", async () => {
  const { clip, client, socket } = await speaking()
  socket.onmessage(frame())
  client.stop()
  assert.deepEqual(socket.texts.at(-1), { type: "stop" })
  assert.equal(socket.readyState, FakeSocket.CLOSED)
  assert.equal(socket.onmessage, null)
  assert.equal(clip.state, "stopped")
})

test("stopping before the ticket arrives opens no socket", async () => {
  let resolveTicket
  const clip = new Clip({ text: "Hi", speaker: {} })
  const requestTicket = () => new Promise((resolve) => (resolveTicket = resolve))
  const client = new SpeechClient({ clip, requestTicket, socketUrl: String, WebSocket: FakeSocket, now: () => time })
  const speaking = client.speak()
  client.stop()
  resolveTicket("late")
  await speaking
  assert.equal(clip.state, "stopped")
  assert.equal(FakeSocket.all.length, 0)
})

test("a server error is reported with its own text", async () => {
  const { clip, socket } = await speaking()
  socket.receive("error", { code: 4008, what: "No text to speak.", why: "No words.", action: "Write some." })
  socket.closeWith(4008)
  assert.equal(clip.state, "failed")
  assert.equal(clip.failure.what, "No text to speak.")
  assert.equal(clip.failure.action, "Write some.")
})

test("a lost connection keeps the generated audio and is reported", async () => {
  const { clip, socket } = await speaking()
  socket.onmessage(frame())
  socket.closeWith(1006)
  assert.equal(clip.failure.kind, "connection")
  assert.equal(clip.samples, 1920)
})

test("a silently dead connection is detected", async () => {
  const { clip, socket } = await speaking()
  socket.onmessage(frame())
  for (let second = 0; second < 30 && !clip.isOver; second++) {
    time += 1000
    mock.timers.tick(1000)
  }
  assert.ok(socket.texts.some(({ type }) => type === "ping"))
  assert.equal(clip.failure.kind, "connection")
})

test("a rejected ticket is requested once more", async () => {
  const { clip, socket } = await speaking()
  socket.closeWith(4001)
  await new Promise((resolve) => setTimeout(resolve))
  assert.equal(FakeSocket.all.length, 2)
  FakeSocket.newest.accept()
  FakeSocket.newest.closeWith(4001)
  assert.equal(clip.failure.kind, "ticket")
})

test("a failed ticket request is a failure of the clip", async () => {
  const { clip } = await speaking("Hi", {
    requestTicket: async () => {
      throw new Failure("loggedOut")
    },
  })
  assert.equal(clip.failure.kind, "loggedOut")
})
