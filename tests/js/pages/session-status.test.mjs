import assert from "node:assert/strict"
import { test } from "node:test"

import { situationOf } from "../../../static/js/pages/live/session-status.js"
import { Failure } from "../../../static/js/web/failure.js"

const ONLINE = { isOnline: true }
const ring = { isNearlyFull: false, room: 1800 }

test("who shares the sound of a tab is asked for that, not for a microphone", () => {
  assert.match(situationOf({ phase: "opening", isOfShared: true }, ONLINE).what, /share/)
  assert.match(situationOf({ phase: "opening", isOfShared: false }, ONLINE).what, /microphone/)
})

test("a lost connection says that recording goes on", () => {
  const told = situationOf({ phase: "running", connection: "reconnecting", ring }, ONLINE)
  assert.match(told.why, /Recording goes on/)
  assert.match(situationOf({ phase: "running", connection: "reconnecting", ring }, { isOnline: false }).what, /offline/)
})

test("who waits before the start learns the place, and that nothing is recorded", () => {
  const told = situationOf({ phase: "waiting", connection: "queued", client: { queuePosition: 3 } }, ONLINE)
  assert.match(told.what, /number 3/)
  assert.match(told.why, /Nothing is recorded/)
  assert.deepEqual(told.ways, ["leave"])
})

test("who waits in the middle of a session learns that recording goes on", () => {
  const told = situationOf({ phase: "running", connection: "queued", client: { queuePosition: 1 }, ring }, ONLINE)
  assert.match(told.why, /Recording goes on/)
})

test("a database that is away is told, and that what is said is kept", () => {
  const told = situationOf({ phase: "running", connection: "live", isUnstored: true, ring }, ONLINE)
  assert.match(told.why, /is kept/)
})

test("a stop that cannot reach the server can be given up", () => {
  const told = situationOf({ phase: "stopping", connection: "reconnecting" }, ONLINE)
  assert.deepEqual(told.ways, ["now", "giveUp"])
})

test("full offers the queue", () => {
  const told = situationOf({ phase: "failed", failure: new Failure("full"), id: null }, ONLINE)
  assert.deepEqual(told.ways, ["wait", "retry"])
})

test("what was stored before a failure can be opened, unless the account may not", () => {
  const ways = (kind) => situationOf({ phase: "failed", failure: new Failure(kind), id: "abc" }, ONLINE).ways
  assert.deepEqual(ways("engineDown"), ["retry", "waitForEngine", "session"])
  assert.deepEqual(ways("notApproved"), ["standing"])
})

test("a problem with the microphone comes before the state of the connection", () => {
  const told = situationOf({ problem: "lost", phase: "paused", connection: "paused" }, ONLINE)
  assert.match(told.what, /unplugged/)
})

test("who is about to run out of room learns it before, and what will happen", () => {
  const session = { phase: "running", connection: "live", kept: 1500, ring: { isNearlyFull: true, room: 1800 } }
  const told = situationOf(session, { isOnline: false })
  assert.match(told.what, /offline.*5 min/)
  assert.match(told.why, /pauses/)
})

test("what was said before a failure can be saved", () => {
  const failed = { phase: "failed", failure: new Failure("protocol"), id: null }
  assert.ok(situationOf({ ...failed, kept: 8 }, ONLINE).ways.includes("save"))
  assert.ok(!situationOf({ ...failed, kept: 0 }, ONLINE).ways.includes("save"))
})

test("an engine that is starting is told with what it does", () => {
  const client = { progress: "downloading it: 43 %" }
  for (const phase of ["running", "waiting"]) {
    const told = situationOf({ phase, connection: "starting", client, ring }, ONLINE)
    assert.match(told.what, /being started: downloading it: 43 %\./)
  }
})

test("a microphone that gives nothing, or too much, is told while everything else is well", () => {
  const session = { phase: "running", connection: "live", ring }
  assert.match(situationOf({ ...session, soundHint: "silent" }, ONLINE).what, /no sound arrives/)
  assert.match(situationOf({ ...session, soundHint: "clipping" }, ONLINE).what, /too loud/)
  assert.match(situationOf({ ...session, soundHint: "silent", connection: "reconnecting" }, ONLINE).what, /reconnecting/)
})
