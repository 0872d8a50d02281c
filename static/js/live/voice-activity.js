// The recent past of the voice, an entry for each 80 ms: how loud it was, whether the engine heard speech and, from one
// that foresees pauses, how sure it was of each length of pause.

import { FRAME_SAMPLES, SAMPLE_RATE } from "../audio/frame-ring.js"

const KEPT_FRAMES = 1500 // two minutes, wider than any strip

export class VoiceActivity {
  length = 0
  marks = [] // {frame, kind: "endpoint" | "pause"}
  #levels = new Float32Array(KEPT_FRAMES)
  #speech = new Float32Array(KEPT_FRAMES)
  #pauses = [] // of each head

  // Frame numbers count from the session's first; NaN speech: not yet heard.
  levelAt(frame) {
    return this.#knows(frame) ? this.#levels[frame % KEPT_FRAMES] : 0
  }

  speechAt(frame) {
    return this.#knows(frame) ? this.#speech[frame % KEPT_FRAMES] : NaN
  }

  // How many lengths of pause the engine tells of.
  get heads() {
    return this.#pauses.length
  }

  // NaN: not yet heard.
  pauseAt(head, frame) {
    return this.#knows(frame) ? this.#pauses[head][frame % KEPT_FRAMES] : NaN
  }

  recorded(level) {
    this.#levels[this.length % KEPT_FRAMES] = level
    for (const values of [this.#speech, ...this.#pauses]) values[this.length % KEPT_FRAMES] = NaN
    this.length += 1
  }

  // The engine has heard everything before `sample`. Steps may skip frames when it catches up.
  heard(sample, speech, pauses = []) {
    while (this.#pauses.length < pauses.length) this.#pauses.push(new Float32Array(KEPT_FRAMES).fill(NaN))
    const newest = Math.min(Math.ceil(sample / FRAME_SAMPLES), this.length) - 1
    for (let frame = newest; this.#knows(frame) && Number.isNaN(this.speechAt(frame)); frame--) {
      this.#speech[frame % KEPT_FRAMES] = speech
      for (const [head, pause] of pauses.entries()) this.#pauses[head][frame % KEPT_FRAMES] = pause
    }
  }

  endpoint(seconds) {
    this.#mark("endpoint", Math.round((seconds * SAMPLE_RATE) / FRAME_SAMPLES))
  }

  pause() {
    this.#mark("pause", this.length)
  }

  // What came before `sample` was recorded by an earlier page.
  goOnAt(sample) {
    this.clear()
    this.#levels.fill(0)
    this.#speech.fill(NaN)
    this.length = Math.floor(sample / FRAME_SAMPLES)
    this.pause()
  }

  clear() {
    this.length = 0
    this.#pauses = []
    this.marks = []
  }

  #mark(kind, frame) {
    const oldest = this.length - KEPT_FRAMES
    this.marks = this.marks.filter((mark) => mark.frame >= oldest)
    this.marks.push({ kind, frame })
  }

  #knows(frame) {
    return frame >= 0 && frame < this.length && frame >= this.length - KEPT_FRAMES
  }
}
