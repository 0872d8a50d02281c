// An upload sends what the server lacks despite failures, and leaves nothing behind when it is canceled.

import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { Upload } from "../../../static/js/uploads/upload.js"
import { UploadRejected } from "../../../static/js/uploads/server.js"
import { Pace, describe, fractionOf } from "../../../static/js/uploads/progress.js"

const PART_SIZE = 10

class FakeServer {
  bytes = ""
  removed = []
  breaks = 0
  states = ["checking", "transcribing", "done"]

  async create({ name, size, ...options }) {
    this.size = size
    this.options = options
    return this.#status({ name })
  }

  async sendPart(id, offset, part, sha256) {
    if (this.breaks-- > 0) throw new TypeError("the network is down")
    this.sha256 = sha256
    if (offset === this.bytes.length) this.bytes += await part.text()
    return this.#status()
  }

  async status() {
    return { ...this.#status(), state: this.states.shift() }
  }

  async remove(id) {
    this.removed.push(id)
  }

  #status(more = {}) {
    const state = this.bytes.length < this.size ? "uploading" : "waiting"
    return { id: "u1", name: "a.wav", size: this.size, received: this.bytes.length, state, duration: 60, transcribed: 0, ...more }
  }
}

function uploadOf(text, server, changed = () => {}) {
  const file = Object.assign(new Blob([text]), { name: "a.wav" })
  const status = { name: file.name, size: file.size, received: 0, state: "queued" }
  return new Upload({ server, status, file, pageId: "page 1", partSize: PART_SIZE, changed, wait: () => Promise.resolve() })
}

test("a file is sent in parts and watched until it is done", async () => {
  const server = new FakeServer()
  const seen = []
  const upload = uploadOf("x".repeat(34), server, ({ status }) => seen.push(status.state))
  await upload.send({})
  while (upload.status.state !== "done") await new Promise(setImmediate)
  assert.equal(server.bytes, "x".repeat(34))
  assert.deepEqual(seen, ["uploading", "uploading", "uploading", "uploading", "waiting", "checking", "transcribing", "done"])
})

test("a broken connection costs a part, not the file", async () => {
  const server = new FakeServer()
  const seen = []
  const upload = uploadOf("abcdefghijklmnopqrstuvwxyz", server, ({ status }) => seen.push(status.state))
  server.breaks = 3
  await upload.send({})
  assert.equal(server.bytes, "abcdefghijklmnopqrstuvwxyz")
  assert.ok(seen.includes("interrupted"))
})

test("bytes that the server has are not sent again", async () => {
  const server = new FakeServer()
  server.bytes = "abcdefghijkl"
  await uploadOf("abcdefghijklmnop", server).send({})
  assert.equal(server.bytes, "abcdefghijklmnop")
})

function sha256(text) {
  return createHash("sha256").update(text).digest("hex")
}

test("the server gets the fingerprint, the page and the options first, and the hash of the file last", async () => {
  const server = new FakeServer()
  await uploadOf("abcdefghijklmnop", server).send({ language: "de" })
  assert.deepEqual(server.options, { fingerprint: sha256("abcdefghijklmnop"), client: "page 1", language: "de" })
  assert.equal(server.sha256, sha256("abcdefghijklmnop"))
})

test("the hash covers what an earlier page has sent", async () => {
  const server = new FakeServer()
  server.bytes = "abcdefghijkl"
  await uploadOf("abcdefghijklmnop", server).send({})
  assert.equal(server.sha256, sha256("abcdefghijklmnop"))
})

test("a file that can't be read any more is reported, and not retried", async () => {
  const server = new FakeServer()
  const file = { name: "a.wav", size: 3, slice: () => ({ size: 3, arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }) }
  const status = { name: "a.wav", size: 3, received: 0, state: "queued" }
  const upload = new Upload({ server, status, file, partSize: PART_SIZE, changed: () => {}, wait: () => Promise.resolve() })
  await upload.send({})
  assert.equal(upload.status.state, "failed")
  assert.match(upload.status.problem.why, /changed, moved or deleted/)
})

test("what another page is sending is not offered for continuation, until that page stops", async () => {
  const uploading = { id: "u1", size: 9, received: 3, state: "uploading", is_sending: true, client: "page 2" }
  const statuses = [{ ...uploading, received: 6 }, { ...uploading, received: 6, is_sending: false }]
  const server = { status: async () => statuses.shift() }
  const seen = []
  const changed = ({ status }) => seen.push([status.state, status.received])
  const upload = new Upload({ server, status: uploading, pageId: "page 1", changed, wait: () => Promise.resolve() })
  assert.equal(upload.status.state, "elsewhere")
  assert.equal(fractionOf(upload.status), 3 / 9)
  await upload.watch()
  assert.deepEqual(seen, [["elsewhere", 6], ["unfinished", 6]])
  const own = new Upload({ server, status: { ...uploading, client: "page 1" }, pageId: "page 1", changed })
  assert.equal(own.status.state, "unfinished") // an earlier page with this ID has ended
})

test("a rejected upload reports why and is not sent", async () => {
  const server = new FakeServer()
  server.create = () => Promise.reject(new UploadRejected({ what: "The file is empty.", why: "", action: "" }))
  const upload = uploadOf("", server)
  await upload.send({})
  assert.equal(upload.status.state, "failed")
  assert.equal(upload.status.problem.what, "The file is empty.")
})

test("an upload canceled during its creation is removed once its ID is known", async () => {
  const server = new FakeServer()
  const upload = uploadOf("abc", server)
  const sending = upload.send({})
  await upload.cancel()
  await sending
  assert.deepEqual(server.removed, ["u1"])
  assert.equal(server.bytes, "")
})

test("a canceled upload is not polled", async () => {
  const server = new FakeServer()
  const upload = uploadOf("abc", server)
  await upload.send({})
  await upload.cancel()
  await new Promise(setImmediate)
  assert.deepEqual(server.removed, ["u1"])
  assert.ok(server.states.length >= 2)
})

test("the fraction is null where progress is unknown", () => {
  assert.equal(fractionOf({ state: "uploading", received: 5, size: 20 }), 0.25)
  assert.equal(fractionOf({ state: "transcribing", transcribed: 30, duration: 60 }), 0.5)
  assert.equal(fractionOf({ state: "checking" }), null)
  assert.equal(fractionOf({ state: "done" }), 1)
})

test("the remaining time follows from the pace so far", () => {
  const pace = new Pace()
  const status = { state: "transcribing", transcribed: 0, duration: 3600 }
  pace.record(status, 0)
  pace.record({ ...status, transcribed: 100 }, 10_000)
  assert.equal(pace.value, 10)
  assert.match(describe({ ...status, transcribed: 100 }, pace.value), /^Transcribed 1:40 of 1:00:00 · 10 times real time · about 6 minutes left$/)
})
