// Speech that one voice generates from one text: samples, words and timing. Emits `audio`, `change` and `over`.

import { SAMPLE_RATE } from "../audio/samples.js"

const PEAK_SAMPLES = SAMPLE_RATE / 50

export class Clip extends EventTarget {
  state = "waiting" // generating done stopped failed
  chunks = [] // int16[n], in order
  samples = 0
  words = [] // {text, at, start, end}, `at` in characters as Python counts them
  skipped = [] // {text, at}
  peaks = [] // 0 to 1, 50 per second
  failure = null
  queuePosition = null
  isInterrupted = false
  requestedAt = null // ms
  firstAudioAt = null
  overAt = null
  #peak = 0
  #samplesInPeak = 0

  // speaker: {engine, voice, label}.
  constructor({ text, speaker, controls = {}, createdAt = Date.now(), id = crypto.randomUUID() }) {
    super()
    Object.assign(this, { id, text, speaker, controls, createdAt })
  }

  // A clip from the history.
  static restore({ samples, words, ...metadata }) {
    const clip = new Clip(metadata)
    clip.words = words
    clip.addAudio(samples, 0)
    clip.#end("done", 0)
    clip.requestedAt = null // its latency is not stored
    return clip
  }

  get seconds() {
    return this.samples / SAMPLE_RATE
  }

  get isOver() {
    return ["done", "stopped", "failed"].includes(this.state)
  }

  // Seconds from the request to the first audio; null before.
  get firstAudioAfter() {
    if (this.requestedAt === null || this.firstAudioAt === null) return null
    return (this.firstAudioAt - this.requestedAt) / 1000
  }

  // Time to generate the clip, relative to its duration.
  realTimeFactor(now) {
    if (this.requestedAt === null || this.samples === 0) return null
    return ((this.overAt ?? now) - this.requestedAt) / 1000 / this.seconds
  }

  start(now) {
    this.requestedAt = now
    this.#setState("waiting")
  }

  // samples: int16[n].
  addAudio(samples, now) {
    this.firstAudioAt ??= now
    this.state = "generating"
    this.chunks.push(samples)
    this.samples += samples.length
    this.#measure(samples)
    this.#emit("audio", samples)
    this.#emit("change")
  }

  addWord(word) {
    this.words.push(word)
  }

  // The index of the word spoken at a sample, or of the last word before it; -1 before the first.
  wordAt(sample) {
    const time = sample / SAMPLE_RATE
    let low = 0
    let high = this.words.length
    while (low < high) {
      const middle = (low + high) >> 1
      this.words[middle].start <= time ? (low = middle + 1) : (high = middle)
    }
    return low - 1
  }

  finish(now) {
    this.#end("done", now)
  }

  stop(now) {
    if (!this.isOver) this.#end("stopped", now)
  }

  fail(failure, now) {
    this.failure = failure
    if (!this.isOver) this.#end("failed", now)
  }

  update(changes) {
    Object.assign(this, changes)
    this.#emit("change")
  }

  #end(state, now) {
    this.overAt = now
    this.#setState(state)
    this.#emit("over")
  }

  #measure(samples) {
    for (const sample of samples) {
      this.#peak = Math.max(this.#peak, Math.abs(sample))
      if (++this.#samplesInPeak < PEAK_SAMPLES) continue
      this.peaks.push(this.#peak / 32768)
      this.#peak = this.#samplesInPeak = 0
    }
  }

  #setState(state) {
    this.state = state
    this.#emit("change")
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
