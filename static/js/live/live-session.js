// A live session as its user sees it: the microphone, the ring, the conversation with the server and what comes of
// it. Tells `change` when phase, connection or problem may have changed, and `frame` for each recorded frame.

import { FrameRing, SAMPLE_RATE } from "../audio/frame-ring.js"
import { LevelWatch } from "../audio/level-watch.js"
import { SHARED_SOUND } from "../audio/shared-sound.js"
import { Failure } from "../web/failure.js"
import { fillGap } from "./fill-gap.js"
import { Latency } from "./latency.js"
import { Transcript } from "./transcript.js"
import { VoiceActivity } from "./voice-activity.js"

const LAST_WORDS = 12
const WORTH_KEEPING_S = 5 // of what was said to a service that then turned out not to be there

export class LiveSession extends EventTarget {
  phase = "idle" // opening waiting running paused stopping done failed
  failure = null
  isUnstored = false // the server's database is away
  problem = null // why nothing is recorded though the session goes on: "interrupted" "lost" "unshared" "full"
  engine = ""
  language = ""
  keepsAudio = false // the server keeps the sound
  transcript = new Transcript()
  activity = new VoiceActivity()
  roundTrip = new Latency()
  processing = new Latency()
  ring = new FrameRing()
  client = null
  #levels = new LevelWatch()
  #microphone
  #createClient
  #recordings
  #fetchWords
  #keeper = null
  #options = {}
  #deviceId = ""
  #isRecording = false
  #lastFrameAt = 0

  // createClient({ring, session, options}) -> StreamClient; fetchWords(id, first) -> those that the server has stored
  constructor({ microphone, createClient, recordings, fetchWords }) {
    super()
    this.#microphone = microphone
    this.#createClient = createClient
    this.#recordings = recordings
    this.#fetchWords = fetchWords
    microphone.addEventListener("frame", ({ detail }) => this.#recorded(detail))
    microphone.addEventListener("interrupted", () => this.#isRecording && this.#change({ problem: "interrupted" }))
    microphone.addEventListener("restored", () => this.problem === "interrupted" && this.#change({ problem: null }))
    microphone.addEventListener("ended", () => this.#microphoneLost())
  }

  get isActive() {
    return ["opening", "waiting", "running", "paused", "stopping"].includes(this.phase)
  }

  get id() {
    return this.client?.session ?? null
  }

  get connection() {
    return this.client?.state ?? "idle"
  }

  // Of audio, in seconds: it stands still while the session is paused.
  get elapsed() {
    return this.ring.end / SAMPLE_RATE
  }

  // How far the words are behind the voice, in seconds.
  get lag() {
    return this.isActive && this.client ? Math.max(0, this.ring.end - this.client.heard) / SAMPLE_RATE : 0
  }

  // What is kept here because the server has not stored it yet, in seconds.
  get kept() {
    return this.ring.kept / SAMPLE_RATE
  }

  // Whether it hears what another tab or the system plays, in place of a microphone.
  get isOfShared() {
    return this.#deviceId === SHARED_SOUND
  }

  // "silent", "still" (a silent tab) or "clipping", if what is recorded is that.
  get soundHint() {
    const { hint } = this.#levels
    return hint === "silent" && this.isOfShared ? "still" : hint
  }

  get isKept() {
    return this.#keeper?.isKeeping ?? false // beyond this page's life
  }

  // Records from now on, or with `wait` only when a place is free.
  async start({ deviceId, engine, language, audio = false, endpointing = null, wait = false }) {
    this.#reset()
    this.#isRecording = !wait
    this.#options = { engine, language, audio, endpointing, wait }
    if (!(await this.#openMicrophone(deviceId, "opening"))) return
    this.#keeper = this.#recordings.begin(this.ring, () => this.#memo)
    this.#microphone.muted = wait
    this.#createClientFor(null)
    this.#change({ phase: wait ? "waiting" : "running" })
    this.client.open()
  }

  // Goes on with what an earlier page has left: with the microphone, or without it just to its end.
  async takeUp(recording, words, { deviceId, endpointing = null, toFinish = false }) {
    this.#reset()
    for (const word of words) this.transcript.add(word)
    const { session, engine, language, audio = false } = recording
    const taken = await this.#recordings.takeUp(recording, () => this.#memo)
    if (!taken) return this.#change({ phase: "failed", failure: new Failure("movedOn") })
    Object.assign(this, { ring: taken.ring, engine, language })
    this.#options = { engine, language, audio, endpointing, wait: true }
    this.#keeper = taken.keeper
    this.activity.goOnAt(this.ring.end)
    this.#createClientFor(session)
    this.#isRecording = !toFinish
    if (!toFinish && !(await this.#openMicrophone(deviceId, "opening"))) return
    this.#change({ phase: toFinish ? "stopping" : "running", failure: null })
    this.client.open()
    if (toFinish) this.client.stop()
  }

  async pause() {
    if (this.phase !== "running") return
    this.#change({ phase: "paused" })
    await this.#microphone.drain()
    if (this.phase !== "paused") return
    this.#isRecording = false
    this.#microphone.muted = true
    this.activity.pause()
    this.client.pause()
  }

  async resume() {
    if (this.phase !== "paused") return
    if (this.ring.isNearlyFull) return this.#change({ problem: "full" })
    this.#isRecording = true
    this.#microphone.muted = false
    this.#change({ phase: "running", problem: null })
    if (!this.#microphone.isOpen && !(await this.#openMicrophone(this.#deviceId, "running"))) return
    this.client.resume()
  }

  // After a failure: goes on where the session was, or starts it.
  async retry(options) {
    if (!this.id && this.ring.kept === 0) return this.start(options)
    this.#isRecording = true
    if (!(await this.#openMicrophone(options.deviceId, "opening"))) return
    this.#change({ phase: "running", failure: null })
    this.client.open()
  }

  async stop() {
    if (this.phase === "opening" || this.phase === "waiting") return this.leave()
    if (this.phase !== "running" && this.phase !== "paused") return
    this.#change({ phase: "stopping", problem: null })
    if (this.#isRecording) await this.#microphone.drain()
    this.#isRecording = false
    this.#microphone.close()
    this.client.stop()
  }

  // Without waiting for the server: nothing is running yet, or the server cannot be reached any more.
  leave() {
    this.#quiet()
    this.client?.close()
    this.#putAway()
    this.#change({ phase: "idle", problem: null })
  }

  // The page may be about to go.
  flush() {
    this.#keeper?.flush()
  }

  wakeMicrophone() {
    this.#microphone.resume() // within a click, which is what iOS asks for after an interruption
  }

  async #openMicrophone(deviceId, phase) {
    this.#deviceId = deviceId
    this.#change({ phase, failure: null, problem: null })
    try {
      await this.#microphone.open(deviceId)
    } catch (failure) {
      if (this.phase === phase) this.fail(failure)
      return false
    }
    return this.phase === phase
  }

  #createClientFor(session) {
    this.client = this.#listenTo(this.#createClient({ ring: this.ring, session, options: this.#options }))
  }

  #listenTo(client) {
    const on = (name, handle) => client.addEventListener(name, ({ detail }) => handle(detail))
    on("state", () => this.#change({}))
    on("ready", (ready) => this.#ready(ready))
    on("step", (step) => this.#stepped(step))
    on("word", (word) => this.transcript.add(word))
    on("partial", ({ text, start }) => this.transcript.setTail(text, start))
    on("endpoint", (endpoint) => {
      this.transcript.endUtterance(endpoint)
      this.activity.endpoint(endpoint.end)
    })
    on("ack", () => {
      this.#keeper?.keep()
      if (this.isUnstored) this.#change({ isUnstored: false })
    })
    on("unstored", () => this.#change({ isUnstored: true }))
    on("interrupted", ({ words }) => this.transcript.rewind(words))
    on("round-trip", (ms) => this.roundTrip.add(ms))
    on("failed", (failure) => this.fail(failure))
    on("done", () => {
      this.transcript.setTail("")
      this.#keeper?.remove()
      this.#change({ phase: "done" })
    })
    return client
  }

  #ready({ words, engine, language, audio }) {
    this.transcript.rewind(words)
    this.#fillGap(words)
    this.#change({ engine, language, keepsAudio: audio, isUnstored: false })
    if (this.phase !== "waiting") return
    this.#isRecording = true
    this.#microphone.muted = false
    this.#change({ phase: "running" })
  }

  // An earlier page knew these words, or nobody: they were stored after it had gone.
  #fillGap(count) {
    const { client, id } = this
    const isWanted = () => this.client === client && this.phase !== "failed"
    fillGap(this.transcript, count, (first) => this.#fetchWords(id, first), isWanted)
  }

  #recorded({ samples, rms, peak }) {
    if (this.#isRecording && !this.ring.push(samples)) this.#ringIsFull()
    else if (this.#isRecording) {
      this.#keeper?.keep()
      this.activity.recorded(rms)
      this.#levels.push({ rms, peak })
      this.#lastFrameAt = performance.now()
      this.dispatchEvent(new CustomEvent("frame", { detail: { rms, peak } }))
    }
    this.client?.pump()
  }

  // While recording the ring's end is now, so a sample's age can be read off its position.
  #stepped({ sample, speech, pauses }) {
    this.activity.heard(sample, speech, pauses)
    if (!this.#isRecording) return
    const age = (this.ring.end - sample) / SAMPLE_RATE
    this.processing.add(age * 1000 + performance.now() - this.#lastFrameAt)
  }

  async #microphoneLost() {
    if (this.phase === "waiting") return this.fail(new Failure("noMicrophone"))
    if (this.phase !== "running") return
    await this.pause()
    this.#microphone.close()
    this.#change({ problem: this.isOfShared ? "unshared" : "lost" })
  }

  // Nothing that was said gives way to what is said now: a speaker can be asked to wait, but not to say it again.
  #ringIsFull() {
    if (this.phase !== "running") return
    this.pause()
    this.#change({ problem: "full" })
  }

  fail(failure) {
    this.#quiet()
    this.client?.close()
    this.#change({ phase: "failed", failure, problem: null })
    if (this.id || this.kept >= WORTH_KEEPING_S) return this.flush()
    this.ring = new FrameRing()
    this.#putAway()
  }

  // What the server does not have stays in the browser, to be taken up later.
  #putAway() {
    this.ring.kept > 0 ? this.#keeper?.leave() : this.#keeper?.remove()
    this.#keeper = null
  }

  // What the next page has to know.
  get #memo() {
    return {
      session: this.id,
      engine: this.engine || this.#options.engine,
      language: this.language || this.#options.language,
      audio: this.#options.audio,
      lastWords: this.transcript.words.slice(-LAST_WORDS).map(({ text }) => text).join(" "),
      isTaken: this.failure?.kind === "movedOn",
    }
  }

  #quiet() {
    this.#isRecording = false
    this.#microphone.close()
  }

  #reset() {
    this.#quiet()
    this.client?.close()
    this.#putAway()
    Object.assign(this, { client: null, ring: new FrameRing(), engine: "", language: "", keepsAudio: false })
    for (const part of [this.transcript, this.activity, this.#levels, this.roundTrip, this.processing]) part.clear()
  }

  #change(changes) {
    Object.assign(this, changes)
    this.dispatchEvent(new CustomEvent("change"))
  }
}
