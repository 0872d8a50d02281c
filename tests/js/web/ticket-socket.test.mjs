import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { Failure } from "../../../static/js/web/failure.js"
import { TicketSocket } from "../../../static/js/web/ticket-socket.js"
import { FakeSocket } from "../fake-socket.mjs"

let socket, events, now, requestTicket

beforeEach(() => {
  FakeSocket.all = []
  now = 0
  events = []
  requestTicket = async () => `t${FakeSocket.all.length}`
  mock.timers.enable({ apis: ["setInterval"] })
  socket = create()
})

afterEach(() => {
  socket.close()
  mock.timers.reset()
})

test("it opens with a ticket", async () => {
  await opened()
  assert.equal(FakeSocket.newest.url, "ws://site/?ticket=t0")
  assert.equal(FakeSocket.newest.binaryType, "arraybuffer")
  assert.deepEqual(events, [["open"]])
})

test("messages are sent as JSON, audio as it is, and only while it is open", async () => {
  socket.send({ type: "early" })
  await socket.open()
  socket.send({ type: "early" })
  socket.sendAudio(Int16Array.of(1))
  FakeSocket.newest.accept()
  socket.send({ type: "start" })
  socket.sendAudio(Int16Array.of(1, 2))
  assert.deepEqual(FakeSocket.newest.texts, [{ type: "start" }])
  assert.deepEqual(FakeSocket.newest.audio, [Int16Array.of(1, 2)])
})

test("messages and audio are received", async () => {
  await opened()
  const audio = new ArrayBuffer(4)
  FakeSocket.newest.receive("ready", { position: 3 })
  FakeSocket.newest.onmessage({ data: audio })
  assert.deepEqual(events.slice(1), [["message", { type: "ready", position: 3 }], ["audio", audio]])
})

test("the bytes that wait in the WebSocket are reported", async () => {
  assert.equal(socket.bufferedAmount, 0)
  await opened()
  FakeSocket.newest.bufferedAmount = 7
  assert.equal(socket.bufferedAmount, 7)
})

test("a refused ticket is requested once more", async () => {
  await opened()
  FakeSocket.newest.closeWith(4001)
  await settled()
  assert.equal(FakeSocket.newest.url, "ws://site/?ticket=t1")
  FakeSocket.newest.accept()
  assert.deepEqual(events, [["open"], ["open"]])
  FakeSocket.newest.closeWith(4001)
  assert.deepEqual(events.at(-1), ["close", "ticket", 4001])
  assert.equal(FakeSocket.all.length, 2)
})

test("the error message of a refused ticket does not explain a later failure", async () => {
  await opened()
  FakeSocket.newest.receive("error", { code: 4001, what: "Used.", why: "Twice.", action: "Again." })
  FakeSocket.newest.closeWith(4001)
  await settled()
  FakeSocket.newest.closeWith(4003)
  assert.equal(events.at(-1)[1], "notApproved")
  assert.notEqual(socket.failure.what, "Used.")
})

test("a ticket that was accepted is not requested again", async () => {
  await opened()
  FakeSocket.newest.receive("ready")
  FakeSocket.newest.closeWith(4001)
  await settled()
  assert.equal(FakeSocket.all.length, 1)
  assert.deepEqual(events.at(-1), ["close", "ticket", 4001])
})

test("a rejected ticket request is a failure without a close code", async () => {
  requestTicket = async () => {
    throw new Failure("rateLimited")
  }
  await socket.open()
  assert.deepEqual(events, [["close", "rateLimited", null]])
})

test("an unreachable site is a lost connection", async () => {
  requestTicket = async () => {
    throw new TypeError("Failed to fetch")
  }
  await socket.open()
  assert.deepEqual(events, [["close", "connection", null]])
})

test("a close code of the server is its failure, any other is a lost connection", async () => {
  for (const [code, kind] of [[4000, "full"], [4012, "movedOn"], [1000, "connection"], [1006, "connection"]]) {
    socket = create()
    await opened()
    FakeSocket.newest.closeWith(code)
    assert.deepEqual(events.at(-1), ["close", kind, code])
  }
})

test("the server's error message explains the failure", async () => {
  await opened()
  FakeSocket.newest.receive("error", { code: 4003, what: "No.", why: "Rejected: spam.", action: "Ask." })
  FakeSocket.newest.closeWith(4003)
  const { what, why, action } = socket.failure
  assert.deepEqual([what, why, action], ["No.", "Rejected: spam.", "Ask."])
  assert.deepEqual(events, [["open"], ["close", "notApproved", 4003]])
})

test("a timer sends pings and detects a dead connection", async () => {
  await opened()
  FakeSocket.newest.receive("ready")
  later(5_000)
  assert.deepEqual(FakeSocket.newest.texts, [{ type: "ping", at: 5_000 }])
  FakeSocket.newest.receive("pong", { at: 5_000 })
  later(10_000)
  later(13_000)
  assert.deepEqual(events.at(-1), ["close", "connection", null])
  assert.equal(FakeSocket.newest.readyState, FakeSocket.CLOSED)
})

test("a server that does not answer at all is a lost connection", async () => {
  await socket.open()
  later(13_000)
  assert.deepEqual(events, [["close", "connection", null]])
})

test("no connection is dead while a ticket is requested", async () => {
  await opened()
  requestTicket = () => new Promise(() => {})
  FakeSocket.newest.closeWith(4001)
  later(60_000)
  assert.deepEqual(events, [["open"]])
})

test("a probed connection must answer soon", async () => {
  socket.probe()
  await opened()
  FakeSocket.newest.receive("ready")
  now = 100
  socket.probe()
  assert.deepEqual(FakeSocket.newest.texts, [{ type: "ping", at: 100 }])
  now += 3_000
  socket.checkConnection()
  assert.deepEqual(events.at(-1), ["close", "connection", null])
})

test("closing reports nothing, and later messages are dropped", async () => {
  await opened()
  socket.close()
  assert.equal(FakeSocket.newest.readyState, FakeSocket.CLOSED)
  assert.equal(FakeSocket.newest.onmessage, null)
  assert.equal(socket.isOpen, false)
  later(60_000)
  assert.deepEqual(events, [["open"]])
})

test("a ticket that arrives after closing opens nothing, and a late rejection is not reported", async () => {
  let resolve, reject
  requestTicket = () => new Promise((...settle) => ([resolve, reject] = settle))
  for (const settle of [() => resolve("late"), () => reject(new Failure("loggedOut"))]) {
    socket = create()
    const opening = socket.open()
    socket.close()
    settle()
    await opening
  }
  assert.equal(FakeSocket.all.length, 0)
  assert.deepEqual(events, [])
})

function create() {
  const created = new TicketSocket(
    {
      requestTicket: () => requestTicket(),
      socketUrl: (ticket) => `ws://site/?ticket=${ticket}`,
      WebSocket: FakeSocket,
      now: () => now,
    },
    {
      onOpen: () => events.push(["open"]),
      onMessage: (message) => events.push(["message", message]),
      onAudio: (audio) => events.push(["audio", audio]),
      onClose: (failure, code) => {
        created.failure = failure
        events.push(["close", failure.kind, code])
      },
    },
  )
  return created
}

async function opened() {
  await socket.open()
  FakeSocket.newest.accept()
}

function later(ms) {
  now += ms
  mock.timers.tick(1_000)
}

function settled() {
  return new Promise((resolve) => setImmediate(resolve))
}
