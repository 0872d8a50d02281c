// Recent voice activity, one entry per 80 ms frame: input level, speech probability and, from an engine that predicts
// pauses, the probability of each pause length.

import { FRAME_SAMPLES, SAMPLE_RATE } from "../audio/samples.js"

const MAX_FRAMES = 1500 // two minutes, wider than any strip

export class VoiceActivity {
  length = 0
  marks = [] // {frame, kind: "endpoint" | "pause"}
  #levels = new Float32Array(MAX_FRAMES)
  #speech = new Float32Array(MAX_FRAMES)
  #pauses = [] // one array per head

  // Frames are numbered from the start of the session. Speech is NaN until the frame is processed.
  levelAt(frame) {
    return this.#covers(frame) ? this.#levels[frame % MAX_FRAMES] : 0
  }

  speechAt(frame) {
    return this.#covers(frame) ? this.#speech[frame % MAX_FRAMES] : NaN
  }

  // Number of pause lengths that the engine predicts.
  get heads() {
    return this.#pauses.length
  }

  // NaN until the frame is processed.
  pauseAt(head, frame) {
    return this.#covers(frame) ? this.#pauses[head][frame % MAX_FRAMES] : NaN
  }

  recorded(level) {
    this.#levels[this.length % MAX_FRAMES] = level
    for (const values of [this.#speech, ...this.#pauses]) values[this.length % MAX_FRAMES] = NaN
    this.length += 1
  }

  // The engine has processed everything before `sample`. Steps may skip frames when it catches up.
  processed(sample, speech, pauses = []) {
    while (this.#pauses.length < pauses.length) this.#pauses.push(new Float32Array(MAX_FRAMES).fill(NaN))
    const newest = Math.min(Math.ceil(sample / FRAME_SAMPLES), this.length) - 1
    for (let frame = newest; this.#covers(frame) && Number.isNaN(this.speechAt(frame)); frame--) {
      this.#speech[frame % MAX_FRAMES] = speech
      for (const [head, pause] of pauses.entries()) this.#pauses[head][frame % MAX_FRAMES] = pause
    }
  }

  endpoint(seconds) {
    this.#mark("endpoint", Math.round((seconds * SAMPLE_RATE) / FRAME_SAMPLES))
  }

  pause() {
    this.#mark("pause", this.length)
  }

  // Starts at `sample`: an earlier page recorded everything before it.
  resumeAt(sample) {
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
    const oldest = this.length - MAX_FRAMES
    this.marks = this.marks.filter((mark) => mark.frame >= oldest)
    this.marks.push({ kind, frame })
  }

  #covers(frame) {
    return frame >= 0 && frame < this.length && frame >= this.length - MAX_FRAMES
  }
}
