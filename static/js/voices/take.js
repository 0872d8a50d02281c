// What one voice made of one text: its samples, its words, and how long that took. Tells `audio`, `change` and `over`.

import { RATE } from "../audio/playout.js"

const PEAK_SAMPLES = RATE / 50

export class Take extends EventTarget {
  state = "waiting" // making made stopped failed
  chunks = [] // int16[n], one after another
  samples = 0
  words = [] // {text, at, start, end}, `at` in characters as Python counts them
  skipped = [] // {text, at}
  peaks = [] // 0 to 1, fifty a second
  failure = null
  queuePosition = null
  isInterrupted = false
  askedAt = null // ms
  firstAt = null
  overAt = null
  #peak = 0
  #inPeak = 0

  // speaker: {engine, voice, label}.
  constructor({ text, speaker, controls = {}, madeAt = Date.now(), id = crypto.randomUUID() }) {
    super()
    Object.assign(this, { id, text, speaker, controls, madeAt })
  }

  // One that was kept.
  static of({ samples, words, ...kept }) {
    const take = new Take(kept)
    take.words = words
    take.addAudio(samples, 0)
    take.#end("made", 0)
    take.askedAt = null // how quick it was is known of what was made just now
    return take
  }

  get seconds() {
    return this.samples / RATE
  }

  get isOver() {
    return ["made", "stopped", "failed"].includes(this.state)
  }

  // Seconds from the asking to the first sound; null before.
  get firstSoundAfter() {
    return this.askedAt === null || this.firstAt === null ? null : (this.firstAt - this.askedAt) / 1000
  }

  // How long the making took, in lengths of what was made.
  realTimeFactor(now) {
    if (this.askedAt === null || this.samples === 0) return null
    return ((this.overAt ?? now) - this.askedAt) / 1000 / this.seconds
  }

  ask(now) {
    this.askedAt = now
    this.#become("waiting")
  }

  // samples: int16[n].
  addAudio(samples, now) {
    this.firstAt ??= now
    this.state = "making"
    this.chunks.push(samples)
    this.samples += samples.length
    this.#measure(samples)
    this.#tell("audio", samples)
    this.#tell("change")
  }

  addWord(word) {
    this.words.push(word)
  }

  // The word that sounds at a sample, or the last one before it; -1 before the first.
  wordAt(sample) {
    const time = sample / RATE
    let low = 0
    let high = this.words.length
    while (low < high) {
      const middle = (low + high) >> 1
      this.words[middle].start <= time ? (low = middle + 1) : (high = middle)
    }
    return low - 1
  }

  finish(now) {
    this.#end("made", now)
  }

  stop(now) {
    if (!this.isOver) this.#end("stopped", now)
  }

  fail(failure, now) {
    this.failure = failure
    if (!this.isOver) this.#end("failed", now)
  }

  note(changes) {
    Object.assign(this, changes)
    this.#tell("change")
  }

  #end(state, now) {
    this.overAt = now
    this.#become(state)
    this.#tell("over")
  }

  #measure(samples) {
    for (const sample of samples) {
      this.#peak = Math.max(this.#peak, Math.abs(sample))
      if (++this.#inPeak < PEAK_SAMPLES) continue
      this.peaks.push(this.#peak / 32768)
      this.#peak = this.#inPeak = 0
    }
  }

  #become(state) {
    this.state = state
    this.#tell("change")
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
