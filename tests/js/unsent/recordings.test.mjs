import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { FrameRing } from "../../../static/js/audio/frame-ring.js"
import { SAMPLE_RATE } from "../../../static/js/audio/samples.js"
import { Recordings } from "../../../static/js/unsent/recordings.js"
import { MemoryLocks, MemoryStore } from "./memory-store.mjs"

const DAY_MS = 86_400_000
let store, locks, now, recordings

beforeEach(() => {
  store = new MemoryStore()
  locks = new MemoryLocks()
  now = 0
  recordings = recordingsOf("ada")
})

test("recorded audio is stored, to half a second", async () => {
  const { ring } = await recordFor(recordings, 10)
  const [{ id }] = await store.all()
  assert.deepEqual(joined(await store.blocks(id)), [...ring.samples])
})

test("audio that the server has saved is deleted in whole blocks", async () => {
  const { ring, writer } = await recordFor(recordings, 10)
  ring.discardBefore(7.7 * SAMPLE_RATE)
  writer.writeIfDue()
  await settled()
  assert.deepEqual((await store.blocks(writer.id)).map(({ start }) => start / SAMPLE_RATE), [7.5, 8, 8.5, 9, 9.5])
})

test("nothing remains when the server has everything", async () => {
  const { ring, writer } = await recordFor(recordings, 3)
  ring.discardBefore(ring.end)
  writer.writeIfDue()
  await settled()
  assert.deepEqual(await store.blocks(writer.id), [])
})

test("a new numbering is written completely", async () => {
  const { ring, writer } = await recordFor(recordings, 3)
  ring.discardBefore(2 * SAMPLE_RATE)
  ring.resumeFrom(SAMPLE_RATE)
  writer.writeIfDue()
  await settled()
  assert.equal((await store.blocks(writer.id))[0].start, SAMPLE_RATE)
  assert.deepEqual(joined(await store.blocks(writer.id)), [...ring.samples])
})

test("a recording is not offered while a tab holds it", async () => {
  const { writer } = await recordFor(recordings, 1)
  assert.equal(await recordingsOf("ada").unfinished(), null)
  await writer.release()
  await settled()
  assert.equal((await recordingsOf("ada").unfinished()).id, writer.id)
})

test("a page waits until the earlier page releases the recording", async () => {
  const { writer } = await recordFor(recordings, 1)
  const next = recordingsOf("ada")
  assert.equal(await next.unfinished(), null)
  let isReleased = false
  const released = next.released().then(() => (isReleased = true))
  await settled()
  assert.ok(!isReleased)
  await writer.release()
  await released
  assert.equal((await next.unfinished()).id, writer.id)
})

test("a recording that is released just after the page looked is not missed", async () => {
  const { writer } = await recordFor(recordings, 1)
  const next = recordingsOf("ada")
  assert.equal(await next.unfinished(), null)
  await writer.release()
  await settled()
  await next.released()
  assert.equal((await next.unfinished()).id, writer.id)
})

test("a recording is offered to its owner only", async () => {
  const { writer } = await recordFor(recordings, 1)
  await writer.release()
  await settled()
  assert.equal(await recordingsOf("grace").unfinished(), null)
  assert.ok(await recordingsOf("ada").unfinished())
})

test("a recording of a conversation is offered where conversations are continued", async () => {
  const talk = () => new Recordings({ store, locks, owner: "ada", kind: "talk", now: () => now })
  const { writer } = await recordFor(talk(), 1)
  await writer.release()
  await settled()
  assert.equal(await recordings.unfinished(), null)
  const unfinished = await talk().unfinished()
  const { writer: next } = await talk().claim(unfinished, () => ({ session: null }))
  await next.release()
  await settled()
  assert.equal((await talk().unfinished()).id, writer.id)
})

test("a recording can be claimed once, with all of its audio", async () => {
  const { ring, writer } = await recordFor(recordings, 2)
  await writer.release()
  await settled()
  const left = await recordingsOf("ada").unfinished()
  const claimed = await recordingsOf("ada").claim(left, () => ({}))
  assert.deepEqual(claimed.ring.samples, ring.samples)
  assert.equal(await recordingsOf("ada").claim(left, () => ({})), null)
})

test("the claiming page continues writing", async () => {
  const { writer } = await recordFor(recordings, 2)
  await writer.release()
  await settled()
  const claimed = await recordings.claim(await recordings.unfinished(), () => ({ session: "abc" }))
  await record(claimed, 1)
  assert.deepEqual(joined(await store.blocks(writer.id)), [...claimed.ring.samples])
  assert.equal((await store.all())[0].session, "abc")
})

test("a released recording keeps its last metadata", async () => {
  let session = "abc"
  const ring = new FrameRing()
  const writer = recordings.start(ring, () => ({ session }))
  await record({ ring, writer }, 1)
  const left = writer.release()
  session = "another"
  await left
  assert.equal((await store.all())[0].session, "abc")
})

test("a recording is deleted after a week, for any owner", async () => {
  const { writer } = await recordFor(recordings, 1)
  await writer.release()
  await settled()
  now = 8 * DAY_MS
  assert.equal(await recordingsOf("grace").unfinished(), null)
  assert.deepEqual(await store.all(), [])
})

test("a browser that stores nothing reports that and continues", async () => {
  store.isBroken = true
  const { ring, writer } = await recordFor(recordings, 2)
  assert.ok(!writer.isPersisting)
  assert.equal(ring.length, 2 * SAMPLE_RATE)
})

function recordingsOf(owner) {
  return new Recordings({ store, owner, locks, now: () => now })
}

async function recordFor(recordings, seconds) {
  const ring = new FrameRing()
  const writer = recordings.start(ring, () => ({ session: null }))
  await record({ ring, writer }, seconds)
  return { ring, writer }
}

async function record({ ring, writer }, seconds) {
  for (let i = 0; i < 10 * seconds; i++) {
    ring.push(Int16Array.from({ length: SAMPLE_RATE / 10 }, (_, at) => ring.end + at))
    writer.writeIfDue()
    await settled()
  }
}

function joined(blocks) {
  return blocks.flatMap(({ samples }) => [...samples])
}

function settled() {
  return new Promise((resolve) => setImmediate(resolve))
}
