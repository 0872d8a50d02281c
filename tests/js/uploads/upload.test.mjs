// An upload sends what the server lacks, whatever breaks, and leaves nothing behind when it is cancelled.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Upload } from "../../../static/js/uploads/upload.js"
import { Refused } from "../../../static/js/uploads/server.js"
import { Pace, inWords, part } from "../../../static/js/uploads/progress.js"

const PIECE = 10

class FakeServer {
  bytes = ""
  forgotten = []
  breaks = 0
  states = ["checking", "transcribing", "done"]

  async announce({ name, size }) {
    this.size = size
    return this.#told({ name })
  }

  async send(id, offset, piece) {
    if (this.breaks-- > 0) throw new TypeError("the network is away")
    if (offset === this.bytes.length) this.bytes += await piece.text()
    return this.#told()
  }

  async look() {
    return { ...this.#told(), state: this.states.shift() }
  }

  async forget(id) {
    this.forgotten.push(id)
  }

  #told(more = {}) {
    const state = this.bytes.length < this.size ? "sending" : "waiting"
    return { id: "u1", name: "a.wav", size: this.size, received: this.bytes.length, state, length: 60, transcribed: 0, ...more }
  }
}

function uploadOf(text, server, changed = () => {}) {
  const file = Object.assign(new Blob([text]), { name: "a.wav" })
  const told = { name: file.name, size: file.size, received: 0, state: "queued" }
  return new Upload({ server, told, file, piece: PIECE, changed, wait: () => Promise.resolve() })
}

test("a file is sent in pieces and watched until it is done", async () => {
  const server = new FakeServer()
  const seen = []
  const upload = uploadOf("x".repeat(34), server, ({ told }) => seen.push(told.state))
  await upload.send({})
  while (upload.told.state !== "done") await new Promise(setImmediate)
  assert.equal(server.bytes, "x".repeat(34))
  assert.deepEqual(seen, ["sending", "sending", "sending", "sending", "waiting", "checking", "transcribing", "done"])
})

test("a broken connection costs a piece, not the file", async () => {
  const server = new FakeServer()
  const seen = []
  const upload = uploadOf("abcdefghijklmnopqrstuvwxyz", server, ({ told }) => seen.push(told.state))
  server.breaks = 3
  await upload.send({})
  assert.equal(server.bytes, "abcdefghijklmnopqrstuvwxyz")
  assert.ok(seen.includes("interrupted"))
})

test("what the server has already is not sent again", async () => {
  const server = new FakeServer()
  server.bytes = "abcdefghijkl"
  await uploadOf("abcdefghijklmnop", server).send({})
  assert.equal(server.bytes, "abcdefghijklmnop")
})

test("one that is refused says why and is not sent", async () => {
  const server = new FakeServer()
  server.announce = () => Promise.reject(new Refused({ what: "The file is empty.", why: "", action: "" }))
  const upload = uploadOf("", server)
  await upload.send({})
  assert.equal(upload.told.state, "refused")
  assert.equal(upload.told.problem.what, "The file is empty.")
})

test("one that is cancelled while it is announced is forgotten as soon as it is known", async () => {
  const server = new FakeServer()
  const upload = uploadOf("abc", server)
  const sending = upload.send({})
  await upload.forget()
  await sending
  assert.deepEqual(server.forgotten, ["u1"])
  assert.equal(server.bytes, "")
})

test("one that is cancelled is asked about no more", async () => {
  const server = new FakeServer()
  const upload = uploadOf("abc", server)
  await upload.send({})
  await upload.forget()
  await new Promise(setImmediate)
  assert.deepEqual(server.forgotten, ["u1"])
  assert.ok(server.states.length >= 2)
})

test("the bar shows what is known and nothing else", () => {
  assert.equal(part({ state: "sending", received: 5, size: 20 }), 0.25)
  assert.equal(part({ state: "transcribing", transcribed: 30, length: 60 }), 0.5)
  assert.equal(part({ state: "checking" }), null)
  assert.equal(part({ state: "done" }), 1)
})

test("the time that is left follows from the pace so far", () => {
  const pace = new Pace()
  const told = { state: "transcribing", transcribed: 0, length: 3600 }
  pace.note(told, 0)
  pace.note({ ...told, transcribed: 100 }, 10_000)
  assert.equal(pace.value, 10)
  assert.match(inWords({ ...told, transcribed: 100 }, pace.value), /^Transcribed 1:40 of 1:00:00 · 10 times as fast .* about 6 minutes left$/)
})
