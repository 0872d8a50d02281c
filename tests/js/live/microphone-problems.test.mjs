import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { SHARED_AUDIO } from "../../../static/js/audio/microphone/shared-audio.js"
import { LiveSession } from "../../../static/js/live/live-session.js"
import { sessionStatus } from "../../../static/js/pages/streaming/session-status.js"
import { Recordings } from "../../../static/js/unsent/recordings.js"
import { Failure } from "../../../static/js/web/failure.js"
import { MemoryLocks, MemoryStore } from "../unsent/memory-store.mjs"

class FakeMicrophone extends EventTarget {
  isOpen = false
  muted = false
  openings = []

  open(deviceId) {
    return new Promise((resolve, reject) => {
      const succeed = () => {
        this.isOpen = true
        resolve()
      }
      this.openings.push({ deviceId, succeed, fail: reject })
    })
  }

  emit(name) {
    this.dispatchEvent(new CustomEvent(name))
  }

  async drain() {}

  close() {
    this.isOpen = false
  }
}

class FakeClient extends EventTarget {
  state = "live"
  session = null
  processed = 0

  open() {}
  close() {}
  pause() {}
  pump() {}
}

let session, microphone, clients
const shown = () => sessionStatus(session, { isOnline: true })

beforeEach(() => {
  microphone = new FakeMicrophone()
  clients = []
  session = new LiveSession({
    microphone,
    recordings: new Recordings({ store: new MemoryStore(), locks: new MemoryLocks(), owner: 1 }),
    createClient: () => {
      clients.push(new FakeClient())
      return clients.at(-1)
    },
  })
})

async function open(options = { deviceId: "" }) {
  const started = session.start(options)
  microphone.openings.at(-1).succeed()
  await started
}

test("a browser that doesn't open the microphone is reported, and the start can be canceled", async () => {
  session.start({ deviceId: "" })
  microphone.emit("unanswered")
  assert.match(shown().what, /hasn't opened the microphone/)
  assert.deepEqual(shown().actions, ["cancel", "reload"])
  session.leave()
  assert.deepEqual([session.phase, session.problem], ["idle", null])
})

test("an answer that comes late starts the session", async () => {
  const started = session.start({ deviceId: "" })
  microphone.emit("unanswered")
  microphone.openings[0].succeed()
  await started
  assert.deepEqual([session.phase, session.problem], ["running", null])
})

test("a start that was canceled neither starts nor fails a later one", async () => {
  for (const settle of ["succeed", "fail"]) {
    const canceled = session.start({ deviceId: "" })
    const [first] = microphone.openings.slice(-1)
    session.leave()
    const started = session.start({ deviceId: "" })
    first[settle](new Failure("audioStuck"))
    await canceled
    assert.equal(session.phase, "opening")
    const count = clients.length
    microphone.openings.at(-1).succeed()
    await started
    assert.deepEqual([session.phase, clients.length], ["running", count + 1])
    session.leave()
  }
})

test("a microphone without audio is reported, until audio comes", async () => {
  await open()
  microphone.emit("stalled")
  assert.match(shown().what, /No audio is coming/)
  assert.deepEqual(shown().actions, ["reopen"])
  microphone.emit("restored")
  assert.equal(session.problem, null)
  assert.equal(shown().what, "Listening.")
})

test("a microphone without audio can be opened again, and the session goes on", async () => {
  await open({ deviceId: "1" })
  microphone.emit("stalled")
  const reopened = session.reopenMicrophone()
  assert.equal(microphone.isOpen, false)
  assert.equal(microphone.openings.at(-1).deviceId, "1")
  microphone.openings.at(-1).succeed()
  await reopened
  assert.deepEqual([session.phase, session.problem, microphone.isOpen, clients.length], ["running", null, true, 1])
})

test("a microphone that can't be opened again ends the session with the reason", async () => {
  await open()
  microphone.emit("stalled")
  const reopened = session.reopenMicrophone()
  microphone.openings.at(-1).fail(new Failure("busyMicrophone"))
  await reopened
  assert.deepEqual([session.phase, session.failure.kind], ["failed", "busyMicrophone"])
})

test("in the queue, too, a microphone without audio is reported, and stays muted when it is opened again", async () => {
  await open({ deviceId: "", wait: true })
  microphone.emit("stalled")
  assert.equal(session.problem, "stalled")
  const reopened = session.reopenMicrophone()
  microphone.openings.at(-1).succeed()
  await reopened
  assert.deepEqual([session.phase, microphone.muted], ["waiting", true])
})

test("a pause, a better known problem and shared audio have their own texts", async () => {
  await open()
  microphone.emit("interrupted")
  microphone.emit("stalled")
  assert.equal(session.problem, "interrupted")
  microphone.emit("restored")
  await session.pause()
  microphone.emit("stalled")
  assert.equal(session.problem, null)
  session.leave()
  await open({ deviceId: SHARED_AUDIO })
  microphone.emit("stalled")
  assert.match(shown().what, /what you share/)
})
