// A live session as the user sees it: the microphone, the ring, the connection to the server and the transcript. Emits
// `change` when phase, connection or problem may have changed, and `frame` for each recorded frame.

import { FrameRing } from "../audio/frame-ring.js"
import { LevelWatch } from "../audio/level-watch.js"
import { SAMPLE_RATE } from "../audio/samples.js"
import { SHARED_AUDIO } from "../audio/microphone/shared-audio.js"
import { Failure } from "../web/failure.js"
import { fillGap } from "./fill-gap.js"
import { Latency } from "./latency.js"
import { metadataOf } from "./recording-metadata.js"
import { Transcript } from "./transcript.js"
import { VoiceActivity } from "./voice-activity.js"

const TEMPORARY = ["interrupted", "stalled", "stalledSharing"] // problems of an open microphone
const MIN_KEPT_S = 5 // audio to keep if the session fails before the server creates it

export class LiveSession extends EventTarget {
  phase = "idle" // opening waiting running paused stopping done failed
  failure = null
  isUnsaved = false // the server's database is not responding
  // Why nothing is recorded: "unanswered" "interrupted" "stalled" "stalledSharing" "lost" "unshared" "full".
  problem = null
  engine = ""
  language = ""
  savesAudio = false // the server saves the audio
  transcript
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
  #writer = null
  #options = {}
  #deviceId = ""
  #isRecording = false
  #lastFrameAt = 0
  #openings = 0 // of the microphone: one that is canceled may succeed or fail later

  // createClient({ring, session, options}) -> StreamClient; fetchWords(id, first) -> saved words, which the transcript
  // lacks after a reload; omit it where they come from elsewhere.
  constructor({ microphone, createClient, recordings, fetchWords = null, transcript = new Transcript() }) {
    super()
    this.transcript = transcript
    this.#microphone = microphone
    this.#createClient = createClient
    this.#recordings = recordings
    this.#fetchWords = fetchWords
    microphone.addEventListener("frame", ({ detail }) => this.#onFrame(detail))
    microphone.addEventListener("interrupted", () => this.#isRecording && this.#change({ problem: "interrupted" }))
    microphone.addEventListener("unanswered", () => this.#change({ problem: "unanswered" }))
    microphone.addEventListener("stalled", () => this.#onStalled())
    microphone.addEventListener("restored", () => TEMPORARY.includes(this.problem) && this.#change({ problem: null }))
    microphone.addEventListener("ended", () => this.#onMicrophoneLost())
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

  // Duration of the recorded audio, in seconds; it does not advance while the session is paused.
  get elapsed() {
    return this.ring.end / SAMPLE_RATE
  }

  // How far the transcript lags behind the audio, in seconds.
  get lag() {
    return this.isActive && this.client ? Math.max(0, this.ring.end - this.client.processed) / SAMPLE_RATE : 0
  }

  // When a sample of the session was recorded, in ms of performance.now(); and the sample that is recorded at a time.
  timeOf(sample) {
    return this.#lastFrameAt - ((this.ring.end - sample) * 1000) / SAMPLE_RATE
  }

  sampleAt(time) {
    return this.ring.end - Math.round(((this.#lastFrameAt - time) * SAMPLE_RATE) / 1000)
  }

  // Seconds of audio that the server has not saved yet.
  get unsent_s() {
    return this.ring.length / SAMPLE_RATE
  }

  // Whether it records another tab's or the system's audio in place of a microphone.
  get isSharedAudio() {
    return this.#deviceId === SHARED_AUDIO
  }

  // "silent", "still" (a silent tab), "clipping" or null.
  get levelHint() {
    const { hint } = this.#levels
    return hint === "silent" && this.isSharedAudio ? "still" : hint
  }

  // Whether unsent audio survives this page.
  get isPersisting() {
    return this.#writer?.isPersisting ?? false
  }

  // Starts recording immediately or, with `wait`, once a slot is free. session: the ID of one to continue, of which this
  // browser has no audio; options: further fields of the start message.
  async start({ deviceId, session = null, wait = false, ...options }) {
    this.#reset()
    this.#isRecording = !wait
    this.#options = { ...options, wait }
    if (session) this.ring = FrameRing.restore([], 0) // its audio moves to where the session ends
    if (!(await this.#openMicrophone(deviceId, "opening"))) return
    this.#writer = this.#recordings.start(this.ring, () => metadataOf(this, this.#options))
    this.#microphone.muted = wait
    this.#createClientFor(session)
    this.#change({ phase: wait ? "waiting" : "running" })
    this.client.open()
  }

  // Continues an earlier page's recording: with the microphone, or with `toFinish` only to send the rest of its audio.
  async resumeRecording(recording, words, { deviceId, toFinish = false, ...options }) {
    this.#reset()
    for (const word of words) this.transcript.add(word)
    const { session, engine, language, audio = false } = recording
    const claimed = await this.#recordings.claim(recording, () => metadataOf(this, this.#options))
    if (!claimed) return this.#change({ phase: "failed", failure: new Failure("movedOn") })
    Object.assign(this, { ring: claimed.ring, engine, language })
    this.#options = { ...options, engine, language, audio, wait: true }
    this.#writer = claimed.writer
    this.activity.resumeAt(this.ring.end)
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

  // After a failure: continues the session, or starts it.
  async retry(options) {
    if (!this.id && this.ring.length === 0) return this.start(options)
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

  // Ends without waiting for the server: nothing is running yet, or the server is unreachable.
  leave() {
    this.#stopRecording()
    this.client?.close()
    this.#releaseRecording()
    this.#change({ phase: "idle", problem: null })
  }

  // The page may be about to close.
  flush() {
    this.#writer?.flush()
  }

  wakeMicrophone() {
    this.#microphone.resume() // within a click handler, as iOS requires after an interruption
  }

  // Within a click handler: it is open, but delivers nothing.
  async reopenMicrophone() {
    const { phase } = this
    if (phase !== "running" && phase !== "waiting") return
    this.#microphone.close()
    if (await this.#openMicrophone(this.#deviceId, phase)) this.#microphone.muted = phase === "waiting"
    this.#change({})
  }

  async #openMicrophone(deviceId, phase) {
    const opening = ++this.#openings
    const isWanted = () => this.phase === phase && this.#openings === opening
    this.#deviceId = deviceId
    this.#change({ phase, failure: null, problem: null })
    try {
      await this.#microphone.open(deviceId)
    } catch (failure) {
      if (isWanted()) this.fail(failure)
      return false
    }
    if (isWanted() && this.problem === "unanswered") this.#change({ problem: null })
    return isWanted()
  }

  #createClientFor(session) {
    this.client = this.#subscribe(this.#createClient({ ring: this.ring, session, options: this.#options }))
  }

  #subscribe(client) {
    const on = (name, handle) => client.addEventListener(name, ({ detail }) => handle(detail))
    on("state", () => this.#change({}))
    on("ready", (ready) => this.#onReady(ready))
    on("step", (step) => this.#onStep(step))
    on("word", (word) => this.transcript.add(word))
    on("partial", ({ text, start, end }) => this.transcript.setInterim(text, start, end))
    on("endpoint", (endpoint) => {
      this.transcript.endSegment(endpoint)
      this.activity.endpoint(endpoint.end)
    })
    on("ack", () => {
      this.#writer?.writeIfDue()
      if (this.isUnsaved) this.#change({ isUnsaved: false })
    })
    on("unstored", () => this.#change({ isUnsaved: true }))
    on("interrupted", ({ words }) => this.transcript.rewind(words))
    on("round-trip", (ms) => this.roundTrip.add(ms))
    on("failed", (failure) => this.fail(failure))
    on("done", () => {
      this.#stopRecording() // the server may have ended it
      this.transcript.setInterim("")
      this.#writer?.remove()
      this.#change({ phase: "done" })
    })
    return client
  }

  #onReady({ words, engine, language, audio }) {
    this.transcript.rewind(words)
    this.#fillGap(words)
    this.#change({ engine, language, savesAudio: audio, isUnsaved: false })
    if (this.phase !== "waiting") return
    this.#isRecording = true
    this.#microphone.muted = false
    this.#change({ phase: "running" })
  }

  // Words that an earlier page displayed, or that were saved after it closed.
  #fillGap(count) {
    if (!this.#fetchWords) return
    const { client, id } = this
    const isWanted = () => this.client === client && this.phase !== "failed"
    fillGap(this.transcript, count, (first) => this.#fetchWords(id, first), isWanted)
  }

  #onFrame({ samples, rms, peak }) {
    if (this.#isRecording && !this.ring.push(samples)) this.#onRingFull()
    else if (this.#isRecording) {
      this.#writer?.writeIfDue()
      this.activity.recorded(rms)
      this.#levels.push({ rms, peak })
      this.#lastFrameAt = performance.now()
      this.dispatchEvent(new CustomEvent("frame", { detail: { rms, peak } }))
    }
    this.client?.pump()
  }

  // While recording, the ring's end is the present, so a sample's position gives its age.
  #onStep({ sample, speech, pauses }) {
    this.activity.processed(sample, speech, pauses)
    if (!this.#isRecording) return
    const age = (this.ring.end - sample) / SAMPLE_RATE
    this.processing.add(age * 1000 + performance.now() - this.#lastFrameAt)
  }

  #onStalled() {
    const isExpected = this.phase === "running" || this.phase === "waiting"
    if (isExpected && !this.problem) this.#change({ problem: this.isSharedAudio ? "stalledSharing" : "stalled" })
  }

  async #onMicrophoneLost() {
    if (this.phase === "waiting") return this.fail(new Failure("noMicrophone"))
    if (this.phase !== "running") return
    await this.pause()
    this.#microphone.close()
    this.#change({ problem: this.isSharedAudio ? "unshared" : "lost" })
  }

  // Recorded audio is never dropped for new audio: the user can wait, but can't be asked to repeat it.
  #onRingFull() {
    if (this.phase !== "running") return
    this.pause()
    this.#change({ problem: "full" })
  }

  fail(failure) {
    this.#stopRecording()
    this.client?.close()
    this.#change({ phase: "failed", failure, problem: null })
    if (this.id || this.unsent_s >= MIN_KEPT_S) return this.flush()
    this.ring = new FrameRing()
    this.#releaseRecording()
  }

  // Audio that the server does not have stays in the browser, to be resumed later.
  #releaseRecording() {
    this.ring.length > 0 ? this.#writer?.release() : this.#writer?.remove()
    this.#writer = null
  }

  #stopRecording() {
    this.#isRecording = false
    this.#microphone.close()
  }

  #reset() {
    this.#stopRecording()
    this.client?.close()
    this.#releaseRecording()
    Object.assign(this, { client: null, ring: new FrameRing(), engine: "", language: "", savesAudio: false })
    for (const part of [this.transcript, this.activity, this.#levels, this.roundTrip, this.processing]) part.clear()
  }

  #change(changes) {
    Object.assign(this, changes)
    this.dispatchEvent(new CustomEvent("change"))
  }
}
