import assert from "node:assert/strict"
import { test } from "node:test"

import { conversationStatus } from "../../../static/js/pages/talk/conversation-status.js"
import { stateOf } from "../../../static/js/pages/talk/states.js"

const STATES = [
  ...["idle", "opening", "waiting", "connecting", "queued", "starting", "reconnecting", "interrupted", "listening"],
  ...["talk", "thinking", "speaking", "held", "muted", "paused", "stopping", "done", "failed"],
]
const calm = { problem: null, isUnsaved: false, ring: { isNearlyFull: false }, levelHint: null, phase: "running" }

test("every state has a name for the button, and a word unless the button says everything", () => {
  for (const state of STATES) {
    const { label, tone, word, action } = stateOf({ state })
    assert.ok(label && tone, state)
    assert.ok(word || action === "start", state)
  }
})

test("with push-to-talk the button is held, also to interrupt", () => {
  for (const state of ["talk", "thinking", "speaking", "held"]) {
    assert.equal(stateOf({ state, isPushToTalk: true }).action, "hold", state)
  }
  assert.equal(stateOf({ state: "thinking", isPushToTalk: true, isTalking: true }).word, "Listening")
})

test("waiting for a voice is explained", () => {
  assert.match(stateOf({ state: "thinking", replyQueuePosition: 2 }).hint, /number 2 in the queue/)
})

test("a calm conversation announces nothing, and a problem is announced", () => {
  const isOnline = { isOnline: true }
  assert.equal(conversationStatus({ session: calm, state: "speaking" }, isOnline), null)
  const lost = { ...calm, phase: "paused", problem: "lost" }
  assert.match(conversationStatus({ session: lost, state: "paused" }, isOnline).what, /unplugged/)
  const done = { session: { ...calm, phase: "done" }, state: "done" }
  assert.deepEqual(conversationStatus(done, isOnline).actions, ["session"])
})

test("silence is a problem only of a microphone that is not muted", () => {
  const session = { ...calm, connection: "live", levelHint: "silent", client: {}, unsent_s: 0 }
  const conversation = { session, state: "listening", isSilent: false }
  assert.match(conversationStatus(conversation, { isOnline: true }).what, /no sound/)
  assert.equal(conversationStatus({ ...conversation, state: "muted", isSilent: true }, { isOnline: true }), null)
})
