import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { FrameRing, SAMPLE_RATE } from "../../../static/js/audio/frame-ring.js"
import { Recordings } from "../../../static/js/unsent/recordings.js"
import { MemoryLocks, MemoryStore } from "./memory-store.mjs"

const DAY_MS = 86_400_000
let store, locks, now, recordings

beforeEach(() => {
  store = new MemoryStore()
  locks = new MemoryLocks()
  now = 0
  recordings = of("ada")
})

test("what was recorded is kept, to half a second", async () => {
  const { ring } = await recorded(recordings, 10)
  const [{ id }] = await store.all()
  assert.deepEqual(joined(await store.blocks(id)), [...ring.all])
})

test("what the server has stored is struck out by whole blocks", async () => {
  const { ring, keeper } = await recorded(recordings, 10)
  ring.forget(7.7 * SAMPLE_RATE)
  keeper.keep()
  await settled()
  assert.deepEqual((await store.blocks(keeper.id)).map(({ start }) => start / SAMPLE_RATE), [7.5, 8, 8.5, 9, 9.5])
})

test("when the server has everything nothing is left", async () => {
  const { ring, keeper } = await recorded(recordings, 3)
  ring.forget(ring.end)
  keeper.keep()
  await settled()
  assert.deepEqual(await store.blocks(keeper.id), [])
})

test("a new numbering is written down as a whole", async () => {
  const { ring, keeper } = await recorded(recordings, 3)
  ring.forget(2 * SAMPLE_RATE)
  ring.goOnFrom(SAMPLE_RATE)
  keeper.keep()
  await settled()
  assert.equal((await store.blocks(keeper.id))[0].start, SAMPLE_RATE)
  assert.deepEqual(joined(await store.blocks(keeper.id)), [...ring.all])
})

test("a recording is not offered while somebody works on it", async () => {
  const { keeper } = await recorded(recordings, 1)
  assert.equal(await of("ada").unfinished(), null)
  await keeper.leave()
  await settled()
  assert.equal((await of("ada").unfinished()).id, keeper.id)
})

test("it is offered to nobody else", async () => {
  const { keeper } = await recorded(recordings, 1)
  await keeper.leave()
  await settled()
  assert.equal(await of("grace").unfinished(), null)
  assert.ok(await of("ada").unfinished())
})

test("it can be taken up once, with all of its audio", async () => {
  const { ring, keeper } = await recorded(recordings, 2)
  await keeper.leave()
  await settled()
  const left = await of("ada").unfinished()
  const taken = await of("ada").takeUp(left, () => ({}))
  assert.deepEqual(taken.ring.all, ring.all)
  assert.equal(await of("ada").takeUp(left, () => ({})), null)
})

test("who takes it up goes on with the writing", async () => {
  const { keeper } = await recorded(recordings, 2)
  await keeper.leave()
  await settled()
  const taken = await recordings.takeUp(await recordings.unfinished(), () => ({ session: "abc" }))
  await record(taken, 1)
  assert.deepEqual(joined(await store.blocks(keeper.id)), [...taken.ring.all])
  assert.equal((await store.all())[0].session, "abc")
})

test("what leaves is described as it was when it left", async () => {
  let session = "abc"
  const ring = new FrameRing()
  const keeper = recordings.begin(ring, () => ({ session }))
  await record({ ring, keeper }, 1)
  const left = keeper.leave()
  session = "another"
  await left
  assert.equal((await store.all())[0].session, "abc")
})

test("a week later it is gone, whosever it was", async () => {
  const { keeper } = await recorded(recordings, 1)
  await keeper.leave()
  await settled()
  now = 8 * DAY_MS
  assert.equal(await of("grace").unfinished(), null)
  assert.deepEqual(await store.all(), [])
})

test("a browser that keeps nothing says so and goes on", async () => {
  store.isBroken = true
  const { ring, keeper } = await recorded(recordings, 2)
  assert.ok(!keeper.isKeeping)
  assert.equal(ring.kept, 2 * SAMPLE_RATE)
})

function of(owner) {
  return new Recordings({ store, owner, locks, now: () => now })
}

async function recorded(recordings, seconds) {
  const ring = new FrameRing()
  const keeper = recordings.begin(ring, () => ({ session: null }))
  await record({ ring, keeper }, seconds)
  return { ring, keeper }
}

async function record({ ring, keeper }, seconds) {
  for (let i = 0; i < 10 * seconds; i++) {
    ring.push(Int16Array.from({ length: SAMPLE_RATE / 10 }, (_, at) => ring.end + at))
    keeper.keep()
    await settled()
  }
}

function joined(blocks) {
  return blocks.flatMap(({ samples }) => [...samples])
}

function settled() {
  return new Promise((resolve) => setImmediate(resolve))
}
