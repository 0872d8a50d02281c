// Playback buffer for speech that is still being generated: 24 kHz in, any rate out, without audible joins.
//
// It starts as soon as `wait` seconds are buffered. On an underrun it fades out, doubles `wait` and resumes where it
// stopped, so the delay is short on a good network and underruns are rare on a bad one.

import { Resampler } from "../audio/resampler.js"
import { SAMPLE_RATE, concatenate } from "../audio/samples.js"

export const MIN_WAIT = 0.1 // seconds of buffered speech before playback starts
const MAX_WAIT = 3
const FADE = 0.005 // seconds
const SILENT = ["waiting", "paused", "over"]

export class Playout {
  state = "waiting" // playing pausing paused stopping over
  underruns = 0
  wait // seconds
  #chunks = []
  #offset = 0 // in the first chunk
  #buffered = 0 // samples
  #consumed = 0 // samples of the speech
  #rendered = 0 // samples at the rate of the context
  #hasEnded = false
  #resampler
  #ready = new Float32Array(0) // resampled, not rendered yet
  #rate
  #fade
  #gain = 0

  constructor(rate, wait = MIN_WAIT) {
    this.wait = wait
    this.#rate = rate
    this.#resampler = new Resampler(SAMPLE_RATE, rate)
    this.#fade = Math.max(1, Math.round(FADE * rate))
  }

  // samples: int16[n].
  push(samples) {
    if (samples.length === 0) return
    this.#chunks.push(samples)
    this.#buffered += samples.length
  }

  // No more audio follows.
  end() {
    this.#hasEnded = true
  }

  // Fades out; what is not played yet is kept.
  pause() {
    if (this.state === "playing") this.state = "pausing"
    else if (this.state === "waiting") this.state = "paused"
  }

  resume() {
    if (this.state === "pausing") this.state = "playing"
    else if (this.state === "paused") this.state = "waiting"
  }

  // Fades out and stops.
  stop() {
    if (this.state === "playing" || this.state === "pausing") this.state = "stopping"
    else if (this.state !== "stopping") this.#finish()
  }

  // Fills `out`: float32[n] at the rate of the context.
  render(out) {
    out.fill(0)
    if (this.state === "waiting" && this.#canStart) this.state = "playing"
    if (SILENT.includes(this.state)) return
    const block = this.#read(out.length + this.#fade)
    const isFading = this.state === "stopping" || this.state === "pausing"
    const length = Math.min(out.length, block.length)
    // Fade out before the buffer is empty; if more audio arrives meanwhile, the gain rises again.
    const fadeFrom = isFading ? 0 : block.length - this.#fade
    let count = 0
    while (count < length && !(isFading && this.#gain === 0)) {
      const isRising = count < fadeFrom
      this.#gain = isRising ? Math.min(1, this.#gain + 1 / this.#fade) : Math.max(0, this.#gain - 1 / this.#fade)
      out[count] = block[count] * this.#gain
      count += 1
    }
    this.#ready = block.subarray(count)
    this.#rendered += count
    if (this.state === "stopping" && this.#gain === 0) this.#finish()
    else if (this.state === "pausing" && this.#gain === 0) this.state = "paused"
    else if (this.#isEmpty) this.#hasEnded || this.state === "stopping" ? this.#finish() : this.#underrun()
  }

  // Samples of the speech that were rendered.
  get played() {
    return Math.min(this.#consumed, Math.round((this.#rendered * SAMPLE_RATE) / this.#rate))
  }

  get #canStart() {
    return this.#hasEnded || this.#buffered >= this.wait * SAMPLE_RATE
  }

  get #isEmpty() {
    return this.#buffered === 0 && this.#ready.length === 0
  }

  // Resampled speech: `length` samples, or fewer if no more are buffered.
  #read(length) {
    const parts = [this.#ready]
    let count = this.#ready.length
    while (count < length && this.#buffered > 0) {
      const part = this.#resampler.process(this.#next()).slice()
      parts.push(part)
      count += part.length
    }
    return parts.length === 1 ? this.#ready : concatenate(parts, new Float32Array(count))
  }

  // float32[n]: the next samples of the buffer, at most 480.
  #next() {
    const chunk = this.#chunks[0]
    const part = chunk.subarray(this.#offset, this.#offset + 480)
    this.#offset += part.length
    this.#buffered -= part.length
    this.#consumed += part.length
    if (this.#offset === chunk.length) {
      this.#chunks.shift()
      this.#offset = 0
    }
    return Float32Array.from(part, (value) => value / 32768)
  }

  #underrun() {
    this.#gain = 0
    this.underruns += 1
    this.wait = Math.min(MAX_WAIT, this.wait * 2)
    this.state = "waiting"
  }

  #finish() {
    this.state = "over"
    this.#chunks = []
    this.#buffered = 0
  }
}
