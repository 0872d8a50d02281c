import assert from "node:assert/strict"
import { test } from "node:test"

import { sessionStatus } from "../../../static/js/pages/streaming/session-status.js"
import { Failure } from "../../../static/js/web/failure.js"

const ONLINE = { isOnline: true }
const ring = { isNearlyFull: false, capacity_s: 1800 }

test("a user who shares a tab is asked for that, not for a microphone", () => {
  assert.match(sessionStatus({ phase: "opening", isSharedAudio: true }, ONLINE).what, /share/)
  assert.match(sessionStatus({ phase: "opening", isSharedAudio: false }, ONLINE).what, /microphone/)
})

test("a lost connection says that recording continues", () => {
  const status = sessionStatus({ phase: "running", connection: "reconnecting", ring }, ONLINE)
  assert.match(status.why, /Recording continues/)
  assert.match(sessionStatus({ phase: "running", connection: "reconnecting", ring }, { isOnline: false }).what, /offline/)
})

test("a user who waits before the start sees the queue position and that nothing is recorded", () => {
  const status = sessionStatus({ phase: "waiting", connection: "queued", client: { queuePosition: 3 } }, ONLINE)
  assert.match(status.what, /number 3/)
  assert.match(status.why, /Recording hasn't started/)
  assert.deepEqual(status.actions, ["leave"])
})

test("a user who waits during a session sees that recording continues", () => {
  const status = sessionStatus({ phase: "running", connection: "queued", client: { queuePosition: 1 }, ring }, ONLINE)
  assert.match(status.why, /Recording continues/)
})

test("an unresponsive database is reported, and that audio is kept", () => {
  const status = sessionStatus({ phase: "running", connection: "live", isUnsaved: true, ring }, ONLINE)
  assert.match(status.why, /is kept/)
})

test("a stop that cannot reach the server can be postponed", () => {
  const status = sessionStatus({ phase: "stopping", connection: "reconnecting" }, ONLINE)
  assert.deepEqual(status.actions, ["now", "giveUp"])
})

test("at capacity the queue is offered", () => {
  const status = sessionStatus({ phase: "failed", failure: new Failure("full"), id: null }, ONLINE)
  assert.deepEqual(status.actions, ["wait", "retry"])
})

test("a failed session can be opened unless the account isn't allowed to", () => {
  const actions = (kind) => sessionStatus({ phase: "failed", failure: new Failure(kind), id: "abc" }, ONLINE).actions
  assert.deepEqual(actions("engineDown"), ["retry", "waitForEngine", "session"])
  assert.deepEqual(actions("notApproved"), ["approvalStatus"])
})

test("a problem with the microphone comes before the state of the connection", () => {
  const status = sessionStatus({ problem: "lost", phase: "paused", connection: "paused" }, ONLINE)
  assert.match(status.what, /unplugged/)
})

test("a nearly full buffer is reported with its consequence", () => {
  const session = { phase: "running", connection: "live", unsent_s: 1500, ring: { isNearlyFull: true, capacity_s: 1800 } }
  const status = sessionStatus(session, { isOnline: false })
  assert.match(status.what, /offline.*5 min/)
  assert.match(status.why, /pauses/)
})

test("audio recorded before a failure can be saved", () => {
  const failed = { phase: "failed", failure: new Failure("protocol"), id: null }
  assert.ok(sessionStatus({ ...failed, unsent_s: 8 }, ONLINE).actions.includes("save"))
  assert.ok(!sessionStatus({ ...failed, unsent_s: 0 }, ONLINE).actions.includes("save"))
})

test("a starting engine is reported with its progress", () => {
  const client = { progress: "downloading: 43%" }
  for (const phase of ["running", "waiting"]) {
    const status = sessionStatus({ phase, connection: "starting", client, ring }, ONLINE)
    assert.match(status.what, /is starting: downloading: 43%\./)
  }
})

test("a silent or clipping input is reported while everything else is well", () => {
  const session = { phase: "running", connection: "live", ring }
  assert.match(sessionStatus({ ...session, levelHint: "silent" }, ONLINE).what, /no sound is coming in/)
  assert.match(sessionStatus({ ...session, levelHint: "clipping" }, ONLINE).what, /too loud/)
  assert.match(sessionStatus({ ...session, levelHint: "silent", connection: "reconnecting" }, ONLINE).what, /Reconnecting/)
})
