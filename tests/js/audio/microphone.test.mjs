import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

import { Microphone } from "../../../static/js/audio/microphone/microphone.js"
import { SHARED_AUDIO } from "../../../static/js/audio/microphone/shared-audio.js"
import { FakeBrowser, FakeStream, HANGS, setNavigator } from "./fake-browser.mjs"

const TEN_SECONDS = 10_000
let browser, microphone, events

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] })
  browser = new FakeBrowser()
  browser.install()
  microphone = new Microphone("capture.js")
  events = []
  for (const name of ["frame", "unanswered", "stalled", "interrupted", "restored", "ended"]) {
    microphone.addEventListener(name, () => events.push(name))
  }
})

afterEach(() => {
  microphone.close()
  mock.timers.reset()
})

// Lets everything happen that does not wait for time.
async function settled() {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

// Second by second, because what happens then may start further timers.
async function pass(ms) {
  await settled()
  for (let passed = 0; passed < ms; passed += 1000) {
    mock.timers.tick(1000)
    await settled()
  }
}

async function failureOf(opening) {
  return opening.then(() => null, (failure) => failure)
}

async function failureWithin(ms, deviceId = "") {
  const failure = failureOf(microphone.open(deviceId))
  await pass(ms)
  return Promise.race([failure, settled().then(() => "still opening")])
}

test("an open microphone delivers frames", async () => {
  await microphone.open("")
  browser.deliver()
  assert.deepEqual(events, ["frame"])
  assert.ok(microphone.isOpen)
})

test("audio that never starts is reported within ten seconds", async () => {
  browser.resume = () => HANGS
  const { kind, actions } = await failureWithin(TEN_SECONDS)
  assert.deepEqual([kind, actions], ["audioStuck", ["retry", "reload"]])
  assert.ok(browser.contexts[0].isClosed)
})

test("audio that may not start is no denied microphone", async () => {
  browser.resume = async () => {
    throw new DOMException("", "NotAllowedError")
  }
  assert.equal((await failureWithin(0)).kind, "audioStuck")
})

test("a worklet that never loads is reported within ten seconds", async () => {
  browser.addModule = () => HANGS
  assert.equal((await failureWithin(TEN_SECONDS)).kind, "incomplete")
})

test("a microphone that never opens is reported within ten seconds if it is allowed", async () => {
  browser.getUserMedia = () => HANGS
  const { kind, actions } = await failureWithin(TEN_SECONDS)
  assert.deepEqual([kind, actions], ["microphoneStuck", ["retry", "reload"]])
  assert.deepEqual(events, [])
})

for (const permission of ["prompt", "denied"]) {
  test(`while the browser's question is open (${permission}), this is reported, and any answer counts`, async () => {
    let answer
    browser.permission = permission
    browser.getUserMedia = () => new Promise((resolve) => (answer = resolve))
    const opening = microphone.open("")
    await pass(TEN_SECONDS)
    assert.deepEqual(events, ["unanswered"])
    await pass(60_000)
    answer(new FakeStream())
    await opening
    assert.ok(microphone.isOpen)
    const count = events.length
    browser.deliver()
    assert.deepEqual(events.slice(count), ["frame"])
  })
}

test("a browser that has no permissions to ask for only reports", async () => {
  delete navigator.permissions
  browser.getUserMedia = () => HANGS
  assert.equal(await failureWithin(TEN_SECONDS), "still opening")
  assert.deepEqual(events, ["unanswered"])
})

test("a choice of what to share takes as long as it takes", async () => {
  browser.getDisplayMedia = () => HANGS
  assert.equal(await failureWithin(60_000, SHARED_AUDIO), "still opening")
  assert.deepEqual(events, [])
})

test("a microphone that opens after the attempt was canceled or has failed is released", async () => {
  for (const ms of [0, TEN_SECONDS]) {
    let answer
    const late = new FakeStream()
    browser.getUserMedia = () => new Promise((resolve) => (answer = resolve))
    const opening = failureOf(microphone.open(""))
    await pass(ms)
    microphone.close()
    answer(late)
    await opening
    assert.equal(late.active, false)
    assert.ok(!microphone.isOpen)
  }
})

test("an attempt that was canceled ends no later one", async () => {
  browser.resume = () => HANGS
  const canceled = failureOf(microphone.open(""))
  await settled()
  microphone.close()
  browser.resume = async () => {}
  await microphone.open("")
  await pass(TEN_SECONDS - 3000)
  browser.deliver()
  await pass(3000)
  assert.equal(await canceled, null)
  assert.ok(microphone.isOpen)
})

test("a microphone without frames is reported within ten seconds, and again until they come", async () => {
  await microphone.open("")
  await pass(TEN_SECONDS)
  assert.deepEqual(events, ["stalled"])
  await pass(4000)
  assert.deepEqual(events, ["stalled", "stalled"])
  browser.deliver()
  assert.deepEqual(events.slice(2), ["restored", "frame"])
})

test("frames that stop are reported, but not while they come", async () => {
  await microphone.open("")
  for (let i = 0; i < 20; i++) {
    await pass(1000)
    browser.deliver()
  }
  assert.ok(!events.includes("stalled"))
  await pass(TEN_SECONDS)
  assert.ok(events.includes("stalled"))
})

test("a computer that was asleep is no silent microphone", async () => {
  await microphone.open("")
  browser.deliver()
  mock.timers.tick(4000) // one interval, however long the sleep was
  browser.deliver()
  assert.deepEqual(events, ["frame", "frame"])
})

test("a closed microphone is not missed", async () => {
  await microphone.open("")
  microphone.close()
  await pass(TEN_SECONDS)
  assert.deepEqual(events, [])
})

test("a worklet that fails is reported at once", async () => {
  await microphone.open("")
  browser.nodes[0].onprocessorerror()
  assert.deepEqual(events, ["stalled"])
})

test("a microphone that is unplugged, muted by the system or given back is reported", async () => {
  const stream = new FakeStream()
  browser.getUserMedia = async () => stream
  await microphone.open("")
  for (const name of ["mute", "unmute", "ended"]) stream.track.dispatchEvent(new Event(name))
  assert.deepEqual(events, ["interrupted", "restored", "ended"])
})

test("each reason why the browser opens no microphone has its own message", async () => {
  const cases = [
    ["NotAllowedError", "Permission denied", "permission", /denied access/],
    ["NotAllowedError", "Permission denied by system", "permission", /operating system/],
    ["NotAllowedError", "Permission dismissed", "permission", /without an answer/],
    ["SecurityError", "", "permission", /denied access/],
    ["NotFoundError", "", "noMicrophone", /can't find/],
    ["OverconstrainedError", "", "noMicrophone", /can't find/],
    ["NotReadableError", "", "busyMicrophone", /Another app/],
    ["AbortError", "", "busyMicrophone", /Another app/],
    ["NotSupportedError", "Sample rates differ.", "audioFailed", /Sample rates differ/],
    ["InvalidStateError", "", "audioFailed", /reported an error/],
  ]
  for (const [name, message, kind, why] of cases) {
    browser.getUserMedia = async () => {
      throw new DOMException(message, name)
    }
    const failure = await failureOf(microphone.open(""))
    assert.equal(failure.kind, kind, name)
    assert.match(failure.why, why)
    assert.ok(failure.action && failure.actions.includes("retry"), name)
  }
})

test("sharing that is refused, and sharing that isn't supported, have different messages", async () => {
  for (const [name, kind] of [["NotAllowedError", "sharingDenied"], ["NotSupportedError", "sharingUnsupported"]]) {
    browser.getDisplayMedia = async () => {
      throw new DOMException("", name)
    }
    assert.equal((await failureOf(microphone.open(SHARED_AUDIO))).kind, kind)
  }
})

test("an error of the audio system is not the device's", async () => {
  browser.install()
  globalThis.AudioContext = class {
    constructor() {
      throw new DOMException("Too many contexts.", "NotSupportedError")
    }
  }
  for (const deviceId of ["", SHARED_AUDIO]) {
    const failure = await failureOf(microphone.open(deviceId))
    assert.deepEqual([failure.kind, failure.why], ["audioFailed", "Too many contexts."])
  }
})

test("an insecure address, a page without microphones and a browser without worklets have different messages", async () => {
  delete globalThis.AudioWorkletNode
  assert.equal((await failureOf(microphone.open(""))).kind, "unsupported")
  setNavigator({})
  assert.equal((await failureOf(microphone.open(""))).kind, "noCapture")
  globalThis.isSecureContext = false
  assert.equal((await failureOf(microphone.open(""))).kind, "insecure")
})
