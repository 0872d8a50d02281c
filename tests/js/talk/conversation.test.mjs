import assert from "node:assert/strict"
import { afterEach, beforeEach, test } from "node:test"

import { Conversation } from "../../../static/js/talk/conversation.js"
import { TalkClient } from "../../../static/js/talk/talk-client.js"
import { Recordings } from "../../../static/js/unsent/recordings.js"
import { Failure } from "../../../static/js/web/failure.js"
import { FakeSocket } from "../fake-socket.mjs"
import { MemoryLocks, MemoryStore } from "../unsent/memory-store.mjs"
import { FakeOutput } from "./fake-output.mjs"

const FRAME = 1920
const SECOND = 24000

class FakeMicrophone extends EventTarget {
  isOpen = false
  muted = false

  async open() {
    this.isOpen = true
  }

  record(frames = 1, value = 1000) {
    for (let i = 0; i < frames; i++) {
      const samples = new Int16Array(FRAME).fill(this.muted ? 0 : value)
      this.dispatchEvent(new CustomEvent("frame", { detail: { samples, rms: 0.1, peak: 0.2 } }))
    }
  }

  async drain() {
    const samples = new Int16Array(480).fill(7)
    this.dispatchEvent(new CustomEvent("frame", { detail: { samples, rms: 0.1, peak: 0.1 } }))
  }

  resume() {}

  close() {
    this.isOpen = false
  }
}

let conversation, microphone, output, recordings

beforeEach(() => {
  FakeSocket.all = []
  microphone = new FakeMicrophone()
  output = new FakeOutput()
  recordings = new Recordings({ store: new MemoryStore(), locks: new MemoryLocks(), owner: 1, kind: "talk" })
  conversation = new Conversation({
    microphone,
    output,
    recordings,
    createClient: (options) => {
      return new TalkClient({
        ...options,
        requestTicket: async () => "t",
        socketUrl: () => "ws://site/ws/talk/",
        WebSocket: FakeSocket,
        random: () => 1,
      })
    },
  })
})

afterEach(() => conversation.session.leave())

const socket = () => FakeSocket.newest
const sent = (type) => socket().texts.filter((message) => message.type === type)
const turns = () => conversation.captions.turns.map(({ speaker, text }) => [speaker, text])

async function begin(options = {}, turns = []) {
  await conversation.start({ deviceId: "", voice: "alba", push_to_talk: false, ...options })
  await settled()
  ready(turns)
}

function ready(turns = [], position = 0) {
  socket().accept()
  socket().receive("conversation", { model: "m", model_label: "M", is_demo: false, voice: "alba", turns })
  socket().receive("ready", { session: "abc", position, words: 0, engine: "e", language: "en" })
}

function reply(number, words = ["It", "is", "big."]) {
  socket().receive("turn_state", { state: "replying" })
  socket().receive("reply_started", { reply: number })
  words.forEach((text, i) => socket().receive("reply_word", { reply: number, text, start: i, end: i + 0.9 }))
  socket().onmessage({ data: new Int16Array(words.length * SECOND).buffer })
  socket().receive("reply_ended", { reply: number, samples: words.length * SECOND })
}

function settled() {
  return new Promise((resolve) => setTimeout(resolve))
}

test("the options are those of the start message", async () => {
  await begin({ session: "earlier" })
  const { type, session, unsaved, voice, push_to_talk } = sent("start")[0]
  assert.deepEqual([type, session, unsaved, voice, push_to_talk], ["start", "earlier", null, "alba", false])
})

test("speech that is recorded before a continued conversation is ready follows its audio", async () => {
  await conversation.start({ deviceId: "", session: "earlier" })
  await settled()
  microphone.record(3)
  ready([], 500_000)
  assert.deepEqual([conversation.session.ring.start, conversation.session.ring.end], [500_000, 500_000 + 3 * FRAME])
  assert.equal(socket().samplesSent, 3 * FRAME)
})

test("a turn from speech to the end of the reply", async () => {
  await begin()
  assert.equal(conversation.state, "listening")
  microphone.record(10)
  socket().receive("word", { index: 0, segment: 0, text: "Paris?", start: 0, end: 1, confidence: 1 })
  assert.equal(conversation.speech.text, "Paris?")
  socket().receive("turn_state", { state: "ending" })
  assert.equal(conversation.state, "thinking")
  socket().receive("turn", { text: "Paris?", is_typed: false, end: 5 * FRAME })
  assert.equal(conversation.speech.text, "")
  reply(1)
  output.node.report("playing", SECOND / 2)
  assert.equal(conversation.state, "speaking")
  assert.deepEqual(turns(), [["User", "Paris?"], ["Assistant", "It"]])
  output.node.report("over", 3 * SECOND)
  socket().receive("turn_state", { state: "listening" })
  assert.deepEqual(turns()[1], ["Assistant", "It is big."])
  assert.equal(conversation.state, "listening")
})

test("how far a reply was played is reported with the audio that was recorded meanwhile", async () => {
  await begin()
  microphone.record(10)
  reply(1)
  output.node.report("playing", SECOND)
  microphone.record()
  const [report] = sent("played").slice(-1)
  assert.equal(report.reply, 1)
  assert.ok(report.at <= socket().samplesSent)
  assert.ok(Math.abs(report.sample - SECOND) < FRAME)
  const count = sent("played").length
  microphone.record()
  assert.equal(sent("played").length, count) // nothing new
})

test("speech during a reply pauses it, and a false alarm resumes it", async () => {
  await begin()
  reply(1)
  output.node.report("playing", SECOND)
  socket().receive("turn_state", { state: "held" })
  socket().receive("word", { index: 5, segment: 1, text: "mhm", start: 0, end: 1, confidence: 1 })
  assert.deepEqual([conversation.state, output.node.posted.at(-1)], ["held", "pause"])
  socket().receive("turn_state", { state: "replying" })
  assert.deepEqual([output.node.posted.at(-1), conversation.speech.text], ["resume", ""])
})

test("words cut the reply, and remain for the next turn", async () => {
  await begin()
  reply(1)
  output.node.report("playing", SECOND)
  socket().receive("turn_state", { state: "held" })
  socket().receive("word", { index: 5, segment: 1, text: "Stop.", start: 0, end: 1, confidence: 1 })
  socket().receive("reply_cut", { reply: 1, text: "It—" })
  socket().receive("turn_state", { state: "listening" })
  assert.equal(output.node.posted.at(-1), "stop")
  assert.deepEqual(turns(), [["Assistant", "It—"]])
  assert.equal(conversation.speech.text, "Stop.")
})

test("the user interrupts: silence at once, and the server learns what was played", async () => {
  await begin()
  microphone.record(30)
  reply(1)
  output.node.report("playing", 1.5 * SECOND)
  conversation.interrupt()
  assert.equal(output.node.posted.at(-1), "stop")
  assert.deepEqual(socket().texts.slice(-2).map(({ type }) => type), ["played", "interrupt"])
  assert.equal(turns().at(-1)[1], "It is—")
  const { length } = socket().texts
  socket().receive("turn_state", { state: "listening" })
  conversation.interrupt()
  assert.equal(socket().texts.length, length)
})

test("mute records silence and does not stop time", async () => {
  await begin()
  conversation.setMuted(true)
  microphone.record(2)
  assert.equal(conversation.state, "muted")
  assert.equal(socket().samplesSent, 2 * FRAME)
  assert.ok(socket().audio.at(-1).every((sample) => sample === 0))
  conversation.setMuted(false)
  assert.deepEqual([conversation.state, microphone.muted], ["listening", false])
})

test("push-to-talk records silence except while the key is held, and ends the turn on release", async () => {
  await begin({ push_to_talk: true })
  assert.deepEqual([conversation.state, microphone.muted], ["talk", true])
  reply(1)
  output.node.report("playing", SECOND)
  conversation.press()
  assert.equal(sent("interrupt").length, 1)
  assert.equal(microphone.muted, false)
  socket().receive("turn_state", { state: "listening" })
  assert.equal(conversation.state, "listening")
  await conversation.releaseKey()
  assert.equal(socket().audio.at(-1).at(-1), 7) // the end of the last word
  assert.deepEqual([sent("release").length, microphone.muted], [1, true])
  await conversation.releaseKey()
  assert.equal(sent("release").length, 1)
})

test("typed text interrupts, and is not sent without a connection", async () => {
  assert.equal(conversation.sendText("Hello."), false)
  await begin()
  reply(1)
  output.node.report("playing", SECOND)
  assert.equal(conversation.sendText("And Rome?"), true)
  assert.equal(conversation.player.isActive, false)
  socket().receive("turn", { text: "And Rome?", is_typed: true, end: 0 })
  assert.deepEqual(turns().at(-1), ["User", "And Rome?"])
  socket().closeWith(1006)
  assert.equal(conversation.sendText("Hello."), false)
})

test("a lost connection plays what has arrived, and the server learns it when the page is back", async () => {
  await begin()
  microphone.record(40)
  reply(1)
  output.node.report("playing", SECOND)
  microphone.record()
  socket().closeWith(1006)
  assert.equal(conversation.state, "reconnecting")
  assert.ok(conversation.player.isActive)
  output.node.report("over", 3 * SECOND)
  microphone.record()
  await settled()
  ready([{ speaker: "User", text: "Paris?" }, { speaker: "Assistant", text: "It is big." }])
  const [{ unsaved, session }] = sent("start")
  assert.equal(session, "abc")
  assert.deepEqual(unsaved.map(({ is_complete, words }) => [is_complete, words.length]), [[true, 3]])
  assert.deepEqual(turns(), [["User", "Paris?"], ["Assistant", "It is big."]])
  reply(1, ["Yes."])
  socket().receive("reply_saved", { reply: 1 })
  socket().receive("step", { sample: 0, speech: 0 })
  socket().closeWith(1006)
  microphone.record()
  await settled()
  socket().accept()
  assert.deepEqual(sent("start")[0].unsaved, [])
})

test("notices are shown once each, and can be dismissed", async () => {
  await begin()
  const notice = { what: "The language model is busy.", why: "Too many.", action: "Wait." }
  socket().receive("notice", notice)
  socket().receive("notice", { ...notice, why: "Still." })
  assert.deepEqual(conversation.notices.map(({ why }) => why), ["Still."])
  conversation.dismiss(conversation.notices[0])
  assert.deepEqual(conversation.notices, [])
  socket().receive("echo")
  assert.equal(conversation.hearsItself, true)
})

test("the latency is that of the user: from the end of the sentence to the loudspeaker", async () => {
  await begin()
  microphone.record(10)
  socket().receive("turn", { text: "Paris?", is_typed: false, end: 10 * FRAME - 0.5 * SECOND })
  reply(1)
  socket().receive("latency", { reply: 1, endpoint: 0.4, model: 0.1, synthesis: 0.1, total: 0.5 })
  output.node.report("playing", 1)
  const { total } = conversation.latency.last
  assert.ok(total >= 0.5 && total < 1, `${total}`)
})

test("a conversation that the server ends closes the microphone", async () => {
  await begin()
  reply(1)
  socket().receive("done", { session: "abc", words: 3 })
  assert.deepEqual([conversation.state, microphone.isOpen, conversation.player.isActive], ["done", false, false])
})

test("a playback that can't start fails the conversation", async () => {
  output.failure = new Failure("incomplete")
  await conversation.start({ deviceId: "" })
  assert.deepEqual([conversation.state, conversation.session.failure.kind], ["failed", "incomplete"])
})

test("an unfinished conversation continues with the audio that an earlier page left", async () => {
  await begin()
  microphone.record(20)
  conversation.session.flush()
  await settled()
  conversation.session.leave()
  await settled()
  const recording = await recordings.unfinished()
  await conversation.resume(recording, { deviceId: "", voice: "alba" })
  await settled()
  ready([{ speaker: "User", text: "Hello." }])
  const [{ session, unsaved, voice, wait }] = sent("start")
  assert.deepEqual([session, unsaved, voice, wait], ["abc", [], "alba", true])
  assert.equal(socket().samplesSent, 20 * FRAME)
  assert.deepEqual(turns(), [["User", "Hello."]])
})
