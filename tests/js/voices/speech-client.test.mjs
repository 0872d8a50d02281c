import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { Failure } from "../../../static/js/web/failure.js"
import { SpeechClient } from "../../../static/js/voices/speech-client.js"
import { Take } from "../../../static/js/voices/take.js"
import { FakeSocket } from "../fake-socket.mjs"

let time = 0

beforeEach(() => {
  FakeSocket.all.length = 0
  time = 1000
  mock.timers.enable({ apis: ["setInterval"] })
})

afterEach(() => mock.timers.reset())

async function speaking(text = "Hello there.", parts = {}) {
  const take = new Take({ text, speaker: { engine: "piper", voice: "slt", label: "SLT" }, controls: { speed: 1.2 } })
  const client = new SpeechClient({
    take,
    askTicket: async () => "ticket",
    socketUrl: (ticket) => `wss://site/?ticket=${ticket}`,
    WebSocket: FakeSocket,
    now: () => time,
    ...parts,
  })
  await client.speak()
  FakeSocket.newest?.accept()
  return { take, client, socket: FakeSocket.newest }
}

function frame(value = 100, samples = 1920) {
  return { data: new Int16Array(samples).fill(value).buffer }
}

test("it says who speaks how, the text, and that it ends", async () => {
  const { socket } = await speaking()
  assert.deepEqual(socket.texts, [
    { type: "start", engine: "piper", voice: "slt", controls: { speed: 1.2 }, wait: true },
    { type: "text", text: "Hello there." },
    { type: "finish" },
  ])
})

test("a long text goes in pieces, none of which ends within a character", async () => {
  const text = "😀a".repeat(9000)
  const { socket } = await speaking(text)
  const pieces = socket.texts.filter(({ type }) => type === "text").map((message) => message.text)
  assert.equal(pieces.join(""), text)
  assert.ok(pieces.length > 1)
  assert.ok(pieces.every((piece) => piece.isWellFormed()))
})

test("audio and words become the take, and its figures", async () => {
  const { take, socket } = await speaking()
  time = 1250
  socket.tell("spoken_word", { text: "Hello", at: 0, start: 0, end: 0.4 })
  socket.onmessage(frame())
  time = 1500
  socket.onmessage(frame())
  socket.tell("synthesis_done", { samples: 3840, words: 1 })
  socket.closeWith(1000)
  assert.equal(take.state, "made")
  assert.equal(take.samples, 3840)
  assert.equal(take.firstSoundAfter, 0.25)
  assert.ok(Math.abs(take.realTimeFactor() - 0.5 / 0.16) < 1e-9)
  assert.equal(take.wordAt(0), 0)
})

test("what was taken is told now and then", async () => {
  const { socket } = await speaking()
  for (let i = 0; i < 14; i++) socket.onmessage(frame())
  const told = socket.texts.filter(({ type }) => type === "ack").map(({ sample }) => sample)
  assert.deepEqual(told, [7 * 1920, 14 * 1920])
})

test("a stop is said at once, and what comes after it is nobody's", async () => {
  const { take, client, socket } = await speaking()
  const hear = socket.onmessage
  hear(frame())
  client.stop()
  assert.deepEqual(socket.texts.at(-1), { type: "stop" })
  assert.equal(socket.readyState, FakeSocket.CLOSED)
  assert.equal(socket.onmessage, null)
  assert.equal(take.state, "stopped")
})

test("a stop before the ticket came opens no socket", async () => {
  let give
  const take = new Take({ text: "Hi", speaker: {} })
  const askTicket = () => new Promise((resolve) => (give = resolve))
  const client = new SpeechClient({ take, askTicket, socketUrl: String, WebSocket: FakeSocket, now: () => time })
  const speaking = client.speak()
  client.stop()
  give("late")
  await speaking
  assert.equal(take.state, "stopped")
  assert.equal(FakeSocket.all.length, 0)
})

test("what the server refuses is told in its own words", async () => {
  const { take, socket } = await speaking()
  socket.tell("error", { code: 4008, what: "There is nothing to speak.", why: "No words.", action: "Write some." })
  socket.closeWith(4008)
  assert.equal(take.state, "failed")
  assert.equal(take.failure.what, "There is nothing to speak.")
  assert.equal(take.failure.action, "Write some.")
})

test("a lost connection keeps what was made, and says so", async () => {
  const { take, socket } = await speaking()
  socket.onmessage(frame())
  socket.closeWith(1006)
  assert.equal(take.failure.kind, "connection")
  assert.equal(take.samples, 1920)
})

test("a connection that died without saying so is noticed", async () => {
  const { take, socket } = await speaking()
  socket.onmessage(frame())
  for (let second = 0; second < 30 && !take.isOver; second++) {
    time += 1000
    mock.timers.tick(1000)
  }
  assert.ok(socket.texts.some(({ type }) => type === "ping"))
  assert.equal(take.failure.kind, "connection")
})

test("a ticket that was refused is asked for once more", async () => {
  const { take, socket } = await speaking()
  socket.closeWith(4001)
  await new Promise((resolve) => setTimeout(resolve))
  assert.equal(FakeSocket.all.length, 2)
  FakeSocket.newest.accept()
  FakeSocket.newest.closeWith(4001)
  assert.equal(take.failure.kind, "ticket")
})

test("without a ticket it fails in words", async () => {
  const { take } = await speaking("Hi", {
    askTicket: async () => {
      throw new Failure("signedOut")
    },
  })
  assert.equal(take.failure.kind, "signedOut")
})
