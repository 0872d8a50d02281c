// Plays one reply at a time, as its audio arrives. Emits `change` when its state changes, `progress` {reply, sample}
// while the reply is played and once when it stops, and `audible` {at} when its first audio leaves the loudspeaker, in
// ms of performance.now().

import { FRAME_SAMPLES, SAMPLE_RATE } from "../audio/samples.js"
import { MIN_WAIT } from "../playback/playout.js"

export class ReplyPlayer extends EventTarget {
  reply = null // its number; it remains after the reply has ended, for the server to know how far it was played
  state = "over" // waiting playing pausing paused stopping over
  played = 0 // samples that have left the loudspeaker
  isComplete = false // the reply was played to its end
  #output
  #now
  #node = null
  #isPaused = false
  #isAudible = false
  #wait = MIN_WAIT // seconds; carried over from one reply to the next
  #levels = [] // RMS of each frame of the reply

  // output: an AudioOutput.
  constructor(output, now = () => performance.now()) {
    super()
    this.#output = output
    this.#now = now
  }

  // Call it within a click handler. Throws a Failure.
  prepare() {
    return this.#output.prepare()
  }

  get isActive() {
    return this.state !== "over"
  }

  // Whether the user can listen to it now.
  get isAudible() {
    return this.state === "playing" && this.#isAudible
  }

  // How loud the reply is now, 0 to 1.
  get level() {
    return this.isAudible ? (this.#levels[Math.floor(this.played / FRAME_SAMPLES)] ?? 0) : 0
  }

  // {reply, sample}, or null before the first reply.
  get position() {
    return this.reply === null ? null : { reply: this.reply, sample: this.played }
  }

  // The audio that is pushed from now on belongs to this reply.
  start(reply) {
    this.stop()
    Object.assign(this, { reply, played: 0 })
    this.#levels = []
    this.#isPaused = this.#isAudible = this.isComplete = false
    const node = (this.#node = this.#output.connect(this.#wait))
    node.port.onmessage = ({ data }) => this.#receive(node, data)
    this.#setState("waiting")
  }

  // samples: int16[n]. Does nothing if no reply is played.
  push(samples) {
    if (!this.#node) return
    for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
      this.#levels.push(rmsOf(samples.subarray(at, at + FRAME_SAMPLES)))
    }
    this.#post(samples)
  }

  // All of the reply's audio was pushed.
  end() {
    this.#post("end")
  }

  // The user speaks: silence within some milliseconds, and nothing is lost.
  pause() {
    if (this.#isPaused || !this.#node) return
    this.#isPaused = true
    this.#post("pause")
  }

  resume() {
    if (!this.#isPaused || !this.#node) return
    this.#isPaused = false
    this.#post("resume")
  }

  // Silence within some milliseconds; the rest is dropped.
  stop() {
    if (!this.#node) return
    this.#post("stop")
    this.#leave()
  }

  #post(message) {
    this.#node?.port.postMessage(message)
  }

  // `played`: samples that were rendered, of which the last ones have not left the loudspeaker yet.
  #receive(node, { state, played, wait }) {
    if (state === "over") setTimeout(() => node.disconnect(), 100)
    if (node !== this.#node) return
    this.#wait = wait
    if (state === "over") return this.#finish(played)
    this.played = Math.max(0, played - Math.round(this.#output.latency * SAMPLE_RATE))
    if (!this.#isAudible && played > 0) this.#becomeAudible(played)
    if (state !== this.state) this.#setState(state)
    this.#emit("progress", this.position)
  }

  #becomeAudible(played) {
    this.#isAudible = true
    const ago = played / SAMPLE_RATE - this.#output.latency
    this.#emit("audible", { at: this.#now() - ago * 1000 })
  }

  #finish(played) {
    if (!this.#isAudible && played > 0) this.#becomeAudible(played)
    this.played = played
    this.isComplete = true
    this.#leave()
  }

  #leave() {
    this.#node = null
    this.state = "over"
    this.#emit("progress", this.position)
    this.#emit("change")
  }

  #setState(state) {
    this.state = state
    this.#emit("change")
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

function rmsOf(samples) {
  let squares = 0
  for (const sample of samples) squares += sample * sample
  return Math.sqrt(squares / samples.length) / 32768
}
